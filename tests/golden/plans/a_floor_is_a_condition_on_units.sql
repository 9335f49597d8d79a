WITH "scan_1" AS (
  SELECT
    "posts"."kind" AS "post__kind",
    SUM(CASE WHEN "posts"."is_bad" THEN 1 ELSE 0 END) AS "bad_posts_1",
    SUM(CASE WHEN NOT "posts"."post_id" IS NULL THEN 1 ELSE 0 END) AS "posts_2"
  FROM "small"."main"."posts" AS "posts"
  GROUP BY
    1
), "scan_2" AS (
  SELECT
    "posts"."kind" AS "post__kind",
    SUM(CASE WHEN NOT "posts"."post_id" IS NULL THEN 1 ELSE 0 END) AS "posts_3"
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
    MAX("bad_posts_1") AS "bad_posts_1",
    MAX("posts_2") AS "posts_2",
    MAX("posts_3") AS "posts_3"
  FROM (
    SELECT
      "post__kind",
      "bad_posts_1",
      "posts_2",
      NULL AS "posts_3",
      1 AS "__is_asked"
    FROM scan_1
    UNION ALL
    SELECT
      "post__kind",
      NULL AS "bad_posts_1",
      NULL AS "posts_2",
      "posts_3",
      0 AS "__is_asked"
    FROM scan_2
  ) AS branches
  GROUP BY
    1
  HAVING
    MAX("__is_asked") = 1
)
SELECT
  "post__kind",
  CASE
    WHEN "posts_3" >= 1
    THEN CAST("bad_posts_1" AS DOUBLE) / CAST(NULLIF("posts_2", 0) AS DOUBLE)
  END AS "guarded_rate",
  "posts_3" AS "__units__video_posts"
FROM stitched
