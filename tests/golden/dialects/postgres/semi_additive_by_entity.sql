WITH "scan_1" AS (
  SELECT
    SUM("__first_violating_1") AS "__first_violating_1"
  FROM (
    SELECT
      "__first_violating_1"
    FROM (
      SELECT
        "states"."violating" AS "__first_violating_1",
        (DATE_TRUNC('day', CAST("states"."status_date" AS TIMESTAMP)) = MIN(DATE_TRUNC('day', CAST("states"."status_date" AS TIMESTAMP))) OVER (PARTITION BY "states"."creator_id")) AND (NOT ("states"."creator_id" IS NULL)) AS "__kept"
      FROM "small"."main"."states" AS "states"
    ) AS "all_rows"
    WHERE "__kept"
  ) AS "rows_kept"
)
SELECT
  "__first_violating_1" AS "first_violating"
FROM "scan_1"
