WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('week', CAST("__days"."__1" AS TIMESTAMP)) AS "metric_time__week",
    SUM("__days"."__views_1") AS "__views_1"
  FROM (
    SELECT
      "posts"."post_date" AS "__1",
      SUM("posts"."views") AS "__views_1"
    FROM "small"."main"."posts" AS "posts"
    WHERE DATE_TRUNC('day', CAST("posts"."post_date" AS TIMESTAMP)) >= CAST('2026-01-12 00:00:00' AS TIMESTAMP)
      AND DATE_TRUNC('day', CAST("posts"."post_date" AS TIMESTAMP)) <= CAST('2026-01-25 23:59:59.999999' AS TIMESTAMP)
    GROUP BY 1
  ) AS "__days"
  GROUP BY 1
),
"scan_2" AS (
  SELECT
    CAST("totals"."metric_time__week" AS TIMESTAMP) + INTERVAL '7 day' AS "metric_time__week",
    "__views_2"
  FROM (
    SELECT
      DATE_TRUNC('week', CAST("__days"."__1" AS TIMESTAMP)) AS "metric_time__week",
      SUM("__days"."__views_2") AS "__views_2"
    FROM (
      SELECT
        "posts"."post_date" AS "__1",
        SUM("posts"."views") AS "__views_2"
      FROM "small"."main"."posts" AS "posts"
      WHERE DATE_TRUNC('week', CAST("posts"."post_date" AS TIMESTAMP)) >= (CAST(CAST('2026-01-12 00:00:00' AS TIMESTAMP) AS TIMESTAMP) - INTERVAL '7 day')
        AND DATE_TRUNC('week', CAST("posts"."post_date" AS TIMESTAMP)) < (CAST(CAST(CAST('2026-01-25 23:59:59.999999' AS TIMESTAMP) AS TIMESTAMP) + INTERVAL '1 microsecond' AS TIMESTAMP) - INTERVAL '7 day')
      GROUP BY 1
    ) AS "__days"
    GROUP BY 1
  ) AS "totals"
  WHERE NOT ("totals"."metric_time__week" IS NULL)
),
"stitched" AS (
  SELECT
    "metric_time__week",
    MAX("__views_1") AS "__views_1",
    MAX("__views_2") AS "__views_2"
  FROM (
    SELECT
      "metric_time__week",
      "__views_1",
      CAST(NULL AS SMALLINT) AS "__views_2"
    FROM "scan_1"
    UNION ALL
    SELECT
      "metric_time__week",
      CAST(NULL AS SMALLINT) AS "__views_1",
      "__views_2"
    FROM "scan_2"
  ) AS "branches"
  GROUP BY 1
)
SELECT
  "metric_time__week",
  "__views_1" AS "views",
  "__views_2" AS "views__previous"
FROM "stitched"
