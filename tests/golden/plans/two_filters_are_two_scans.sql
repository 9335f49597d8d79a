WITH "scan_1" AS (
  SELECT
    DATE_TRUNC('week', "posts"."post_date") AS "metric_time__week",
    SUM("posts"."views") AS "views_1"
  FROM "small"."main"."posts" AS "posts"
  GROUP BY
    1
), "scan_2" AS (
  SELECT
    DATE_TRUNC('week', "posts"."post_date") AS "metric_time__week",
    SUM("posts"."views") AS "views_2"
  FROM "small"."main"."posts" AS "posts"
  LEFT JOIN "small"."main"."creators" AS "creator__creators"
    ON "posts"."creator_id" = "creator__creators"."creator_id"
  WHERE
    (
      "creator__creators"."tier" = 'gold'
    )
  GROUP BY
    1
), "stitched" AS (
  SELECT
    "metric_time__week",
    MAX("views_1") AS "views_1",
    MAX("views_2") AS "views_2"
  FROM (
    SELECT
      "metric_time__week",
      "views_1",
      NULL AS "views_2",
      1 AS "__is_asked"
    FROM scan_1
    UNION ALL
    SELECT
      "metric_time__week",
      NULL AS "views_1",
      "views_2",
      1 AS "__is_asked"
    FROM scan_2
  ) AS branches
  GROUP BY
    1
  HAVING
    MAX("__is_asked") = 1
)
SELECT
  "metric_time__week",
  "views_1" AS "views",
  "views_2" AS "gold_views",
  "views_1" - "views_2" AS "gap"
FROM stitched
