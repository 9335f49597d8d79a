WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('MONTH', "posts"."post_date") AS "metric_time__month",
    COUNT("posts"."post_id") AS "__posts_1"
  FROM "small"."main"."posts" AS "posts"
  WHERE
    DATE_TRUNC('DAY', "posts"."post_date") >= CAST('2026-01-01 00:00:00' AS TIMESTAMP)
    AND DATE_TRUNC('DAY', "posts"."post_date") <= CAST('2026-01-31 23:59:59.999999' AS TIMESTAMP)
  GROUP BY
    1
)
SELECT
  "metric_time__month",
  "__posts_1" AS "posts"
FROM "scan_1"
