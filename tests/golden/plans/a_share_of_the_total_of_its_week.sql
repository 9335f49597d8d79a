WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('WEEK', "posts"."post_date") AS "metric_time__week",
    "__creator__creators"."tier" AS "creator__tier",
    SUM("posts"."views") AS "__views_1"
  FROM "small"."main"."posts" AS "posts"
  LEFT JOIN "small"."main"."creators" AS "__creator__creators"
    ON "posts"."creator_id" = "__creator__creators"."creator_id"
  GROUP BY
    1,
    2
), "with_totals" AS (
  SELECT
    "scan_1".*,
    "total_1"."__of_all__total_1_1"
  FROM "scan_1"
  LEFT JOIN (
    WITH "scan_1" AS (
      SELECT
        DATE_TRUNC('WEEK', "posts"."post_date") AS "metric_time__week",
        SUM("posts"."views") AS "__total_1__views_1"
      FROM "small"."main"."posts" AS "posts"
      GROUP BY
        1
    )
    SELECT
      "metric_time__week",
      "__total_1__views_1" AS "__of_all__total_1_1"
    FROM "scan_1"
  ) AS "total_1"
    ON "scan_1"."metric_time__week" IS NOT DISTINCT FROM "total_1"."metric_time__week"
)
SELECT
  "metric_time__week",
  "creator__tier",
  "__views_1" AS "views",
  CAST("__views_1" AS DOUBLE) / NULLIF("__of_all__total_1_1", 0) AS "views__share"
FROM "with_totals"
