WITH "scan_1" AS (
  SELECT
    "metric_time__week",
    SUM("__violating_creators_1") AS "__violating_creators_1",
    SUM("__active_creators_2") AS "__active_creators_2"
  FROM (
    SELECT
      "metric_time__week",
      "__violating_creators_1",
      "__active_creators_2"
    FROM (
      SELECT
        DATE_TRUNC('week', CAST("__days"."__1" AS TIMESTAMP)) AS "metric_time__week",
        "__days"."__violating_creators_1" AS "__violating_creators_1",
        "__days"."__active_creators_2" AS "__active_creators_2",
        DATE_TRUNC('day', CAST("__days"."__1" AS TIMESTAMP)) = MAX(DATE_TRUNC('day', CAST("__days"."__1" AS TIMESTAMP))) OVER (PARTITION BY DATE_TRUNC('week', CAST("__days"."__1" AS TIMESTAMP))) AS "__kept"
      FROM (
        SELECT
          "states"."status_date" AS "__1",
          SUM("states"."violating") AS "__violating_creators_1",
          COUNT("states"."creator_id") AS "__active_creators_2"
        FROM "small"."main"."states" AS "states"
        GROUP BY 1
      ) AS "__days"
    ) AS "all_rows"
    WHERE "__kept"
  ) AS "rows_kept"
  GROUP BY 1
)
SELECT
  "metric_time__week",
  CAST("__violating_creators_1" AS DOUBLE PRECISION) / CAST(NULLIF("__active_creators_2", 0) AS DOUBLE PRECISION) AS "creator_violation_rate"
FROM "scan_1"
