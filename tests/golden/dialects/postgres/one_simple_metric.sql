WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('day', CAST("__days"."__1" AS TIMESTAMP)) AS "metric_time__day",
    SUM("__days"."__posts_1") AS "__posts_1"
  FROM (
    SELECT
      "posts"."post_date" AS "__1",
      COUNT("posts"."post_id") AS "__posts_1"
    FROM "small"."main"."posts" AS "posts"
    GROUP BY 1
  ) AS "__days"
  GROUP BY 1
)
SELECT
  "metric_time__day",
  "__posts_1" AS "posts"
FROM "scan_1"
