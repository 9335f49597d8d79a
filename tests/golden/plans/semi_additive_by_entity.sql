WITH "scan_1" AS (
  SELECT
    SUM("__first_violating_1") AS "__first_violating_1"
  FROM (
    SELECT
      "states"."violating" AS "__first_violating_1"
    FROM "small"."main"."states" AS "states"
    QUALIFY
      DATE_TRUNC('DAY', "states"."status_date") = MIN(DATE_TRUNC('DAY', "states"."status_date")) OVER (PARTITION BY "states"."creator_id")
      AND NOT "states"."creator_id" IS NULL
  ) AS "rows_kept"
)
SELECT
  "__first_violating_1" AS "first_violating"
FROM "scan_1"
