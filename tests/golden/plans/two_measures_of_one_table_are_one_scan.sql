WITH "scan_1" AS (
  SELECT
    "creator__creators"."tier" AS "creator__tier",
    SUM(CASE WHEN NOT "posts"."post_id" IS NULL THEN 1 ELSE 0 END) AS "posts_1",
    SUM("posts"."views") AS "views_2",
    SUM(CASE WHEN "posts"."is_bad" THEN 1 ELSE 0 END) AS "bad_posts_3"
  FROM "small"."main"."posts" AS "posts"
  LEFT JOIN "small"."main"."creators" AS "creator__creators"
    ON "posts"."creator_id" = "creator__creators"."creator_id"
  GROUP BY
    1
)
SELECT
  "creator__tier",
  "posts_1" AS "posts",
  "views_2" AS "views",
  CAST("bad_posts_3" AS DOUBLE) / CAST(NULLIF("posts_1", 0) AS DOUBLE) AS "bad_rate"
FROM scan_1
