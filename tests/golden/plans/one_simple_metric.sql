WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('DAY', "posts"."post_date") AS "metric_time__day",
    COUNT("posts"."post_id") AS "__posts_1"
  FROM "small"."main"."posts" AS "posts"
  GROUP BY
    1
)
SELECT
  "metric_time__day",
  "__posts_1" AS "posts"
FROM "scan_1"
