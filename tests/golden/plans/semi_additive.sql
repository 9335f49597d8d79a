WITH "scan_1" AS (
  SELECT
    "metric_time__week",
    SUM("violating_creators_1") AS "violating_creators_1",
    SUM("active_creators_2") AS "active_creators_2"
  FROM (
    SELECT
      DATE_TRUNC('week', "states"."status_date") AS "metric_time__week",
      "states"."violating" AS "violating_creators_1",
      CASE WHEN NOT "states"."creator_id" IS NULL THEN 1 ELSE 0 END AS "active_creators_2"
    FROM "small"."main"."states" AS "states"
    QUALIFY
      DATE_TRUNC('day', "states"."status_date") = MAX(DATE_TRUNC('day', "states"."status_date")) OVER (PARTITION BY DATE_TRUNC('week', "states"."status_date"))
  ) AS rows_kept
  GROUP BY
    1
)
SELECT
  "metric_time__week",
  CAST("violating_creators_1" AS DOUBLE) / CAST(NULLIF("active_creators_2", 0) AS DOUBLE) AS "creator_violation_rate"
FROM scan_1
