WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('month', CAST("__days"."__1" AS TIMESTAMP)) AS "metric_time__month",
    SUM("__days"."__posts_1") AS "__posts_1"
  FROM (
    SELECT
      "posts"."post_date" AS "__1",
      COUNT("posts"."post_id") AS "__posts_1"
    FROM "small"."main"."posts" AS "posts"
    WHERE DATE_TRUNC('day', CAST("posts"."post_date" AS TIMESTAMP)) >= CAST('2026-01-01 00:00:00' AS TIMESTAMP)
      AND DATE_TRUNC('day', CAST("posts"."post_date" AS TIMESTAMP)) <= CAST('2026-01-31 23:59:59.999999' AS TIMESTAMP)
    GROUP BY 1
  ) AS "__days"
  GROUP BY 1
)
SELECT
  "metric_time__month",
  "__posts_1" AS "posts"
FROM "scan_1"
