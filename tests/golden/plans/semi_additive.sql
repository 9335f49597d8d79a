WITH "scan_1" AS (
  SELECT
    "metric_time__week",
    SUM("__violating_creators_1") AS "__violating_creators_1",
    SUM("__active_creators_2") AS "__active_creators_2"
  FROM (
    SELECT
      DATE_TRUNC('WEEK', "states"."status_date") AS "metric_time__week",
      "states"."violating" AS "__violating_creators_1",
      CASE WHEN NOT "states"."creator_id" IS NULL THEN 1 ELSE 0 END AS "__active_creators_2"
    FROM "small"."main"."states" AS "states"
    QUALIFY
      DATE_TRUNC('DAY', "states"."status_date") = MAX(DATE_TRUNC('DAY', "states"."status_date")) OVER (PARTITION BY DATE_TRUNC('WEEK', "states"."status_date"))
  ) AS "rows_kept"
  GROUP BY
    1
)
SELECT
  "metric_time__week",
  CAST("__violating_creators_1" AS DOUBLE) / CAST(NULLIF("__active_creators_2", 0) AS DOUBLE) AS "creator_violation_rate"
FROM "scan_1"
