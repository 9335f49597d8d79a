WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('day', CAST(((CAST(CAST("posts"."posted_at" AS TIMESTAMP) AS TIMESTAMP) AT TIME ZONE 'UTC') AT TIME ZONE 'Asia/Jakarta') AS TIMESTAMP)) AS "metric_time__day",
    COUNT("posts"."post_id") AS "__clocked_posts_1"
  FROM "small"."main"."posts" AS "posts"
  GROUP BY 1
)
SELECT
  "metric_time__day",
  "__clocked_posts_1" AS "posts_by_clock"
FROM "scan_1"
