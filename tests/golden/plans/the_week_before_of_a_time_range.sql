WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('WEEK', "posts"."post_date") AS "metric_time__week",
    SUM("posts"."views") AS "__views_1"
  FROM "small"."main"."posts" AS "posts"
  WHERE
    DATE_TRUNC('DAY', "posts"."post_date") >= CAST('2026-01-12 00:00:00' AS TIMESTAMP)
    AND DATE_TRUNC('DAY', "posts"."post_date") <= CAST('2026-01-25 23:59:59.999999' AS TIMESTAMP)
  GROUP BY
    1
), "scan_2" AS (
  SELECT
    "totals"."metric_time__week" + INTERVAL '1' WEEK AS "metric_time__week",
    "__views_2"
  FROM (
    SELECT
      DATE_TRUNC('WEEK', "posts"."post_date") AS "metric_time__week",
      SUM("posts"."views") AS "__views_2"
    FROM "small"."main"."posts" AS "posts"
    WHERE
      DATE_TRUNC('WEEK', "posts"."post_date") >= CAST('2026-01-12 00:00:00' AS TIMESTAMP) - INTERVAL '1' WEEK
      AND DATE_TRUNC('WEEK', "posts"."post_date") < CAST('2026-01-25 23:59:59.999999' AS TIMESTAMP) + INTERVAL '1' MICROSECOND - INTERVAL '1' WEEK
    GROUP BY
      1
  ) AS "totals"
  WHERE
    NOT "totals"."metric_time__week" IS NULL
), "stitched" AS (
  SELECT
    "metric_time__week",
    MAX("__views_1") AS "__views_1",
    MAX("__views_2") AS "__views_2"
  FROM (
    SELECT
      "metric_time__week",
      "__views_1",
      NULL AS "__views_2"
    FROM "scan_1"
    UNION ALL
    SELECT
      "metric_time__week",
      NULL AS "__views_1",
      "__views_2"
    FROM "scan_2"
  ) AS "branches"
  GROUP BY
    1
)
SELECT
  "metric_time__week",
  "__views_1" AS "views",
  "__views_2" AS "views__previous"
FROM "stitched"
