WITH "scan_1" AS (
  SELECT
    "posts"."kind" AS "post__kind",
    COUNT("posts"."post_id") AS "__posts_1",
    COUNT(*) FILTER (WHERE "posts"."is_bad") AS "__bad_posts_2"
  FROM "small"."main"."posts" AS "posts"
  LEFT JOIN "small"."main"."creators" ON "posts"."creator_id" = "main"."creators"."creator_id"
  WHERE TRUE
    [[AND {{creator__tier}}]]
  GROUP BY 1
)
SELECT
  "post__kind",
  "__posts_1" AS "posts",
  CAST("__bad_posts_2" AS DOUBLE PRECISION) / CAST(NULLIF("__posts_1", 0) AS DOUBLE PRECISION) AS "bad_rate"
FROM "scan_1"
