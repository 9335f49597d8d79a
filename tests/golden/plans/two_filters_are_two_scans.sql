WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('WEEK', "posts"."post_date") AS "metric_time__week",
    SUM("posts"."views") AS "__views_1"
  FROM "small"."main"."posts" AS "posts"
  GROUP BY
    1
), "scan_2" AS (
  SELECT
    DATE_TRUNC('WEEK', "posts"."post_date") AS "metric_time__week",
    SUM("posts"."views") AS "__views_2"
  FROM "small"."main"."posts" AS "posts"
  LEFT JOIN "small"."main"."creators" AS "__creator__creators"
    ON "posts"."creator_id" = "__creator__creators"."creator_id"
  WHERE
    (
      "__creator__creators"."tier" = 'gold'
    )
  GROUP BY
    1
), "stitched" AS (
  SELECT
    "metric_time__week",
    MAX("__views_1") AS "__views_1",
    MAX("__views_2") AS "__views_2"
  FROM (
    SELECT
      "metric_time__week",
      "__views_1",
      NULL AS "__views_2",
      1 AS "__is_asked"
    FROM "scan_1"
    UNION ALL
    SELECT
      "metric_time__week",
      NULL AS "__views_1",
      "__views_2",
      1 AS "__is_asked"
    FROM "scan_2"
  ) AS "branches"
  GROUP BY
    1
  HAVING
    MAX("__is_asked") = 1
)
SELECT
  "metric_time__week",
  "__views_1" AS "views",
  "__views_2" AS "gold_views",
  "__views_1" - "__views_2" AS "gap"
FROM "stitched"
