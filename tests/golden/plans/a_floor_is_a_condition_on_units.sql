WITH "scan_1" AS (
  SELECT
    "posts"."kind" AS "post__kind",
    SUM(CASE WHEN "posts"."is_bad" THEN 1 ELSE 0 END) AS "__bad_posts_1",
    SUM(CASE WHEN NOT "posts"."post_id" IS NULL THEN 1 ELSE 0 END) AS "__posts_2"
  FROM "small"."main"."posts" AS "posts"
  GROUP BY
    1
), "scan_2" AS (
  SELECT
    "posts"."kind" AS "post__kind",
    SUM(CASE WHEN NOT "posts"."post_id" IS NULL THEN 1 ELSE 0 END) AS "__posts_3"
  FROM "small"."main"."posts" AS "posts"
  WHERE
    (
      "posts"."kind" = 'video'
    )
  GROUP BY
    1
), "stitched" AS (
  SELECT
    "post__kind",
    MAX("__bad_posts_1") AS "__bad_posts_1",
    MAX("__posts_2") AS "__posts_2",
    MAX("__posts_3") AS "__posts_3"
  FROM (
    SELECT
      "post__kind",
      "__bad_posts_1",
      "__posts_2",
      NULL AS "__posts_3",
      1 AS "__is_asked"
    FROM "scan_1"
    UNION ALL
    SELECT
      "post__kind",
      NULL AS "__bad_posts_1",
      NULL AS "__posts_2",
      "__posts_3",
      0 AS "__is_asked"
    FROM "scan_2"
  ) AS "branches"
  GROUP BY
    1
  HAVING
    MAX("__is_asked") = 1
)
SELECT
  "post__kind",
  CASE
    WHEN "__posts_3" >= 1
    THEN CAST("__bad_posts_1" AS DOUBLE) / CAST(NULLIF("__posts_2", 0) AS DOUBLE)
  END AS "guarded_rate",
  "__posts_3" AS "__units__video_posts"
FROM "stitched"
