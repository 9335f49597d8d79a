WITH "scan_1" AS (
  SELECT
    "posts"."kind" AS "post__kind",
    COUNT(*) FILTER(WHERE
      "posts"."is_bad") AS "__bad_posts_1",
    COUNT("posts"."post_id") AS "__posts_2"
  FROM "small"."main"."posts" AS "posts"
  WHERE
    DATE_TRUNC('DAY', "posts"."post_date") >= CAST('2026-01-06 00:00:00' AS TIMESTAMP)
    AND DATE_TRUNC('DAY', "posts"."post_date") <= CAST('2026-01-08 23:59:59.999999' AS TIMESTAMP)
  GROUP BY
    1
), "scan_2" AS (
  SELECT
    "posts"."kind" AS "post__kind",
    COUNT(*) FILTER(WHERE
      "posts"."is_bad") AS "__bad_posts_3",
    COUNT("posts"."post_id") AS "__posts_4"
  FROM "small"."main"."posts" AS "posts"
  WHERE
    DATE_TRUNC('DAY', "posts"."post_date") >= CAST('2026-01-03 00:00:00' AS TIMESTAMP)
    AND DATE_TRUNC('DAY', "posts"."post_date") <= CAST('2026-01-05 23:59:59.999999' AS TIMESTAMP)
  GROUP BY
    1
), "stitched" AS (
  SELECT
    "post__kind",
    MAX("__bad_posts_1") AS "__bad_posts_1",
    MAX("__posts_2") AS "__posts_2",
    MAX("__bad_posts_3") AS "__bad_posts_3",
    MAX("__posts_4") AS "__posts_4"
  FROM (
    SELECT
      "post__kind",
      "__bad_posts_1",
      "__posts_2",
      NULL AS "__bad_posts_3",
      NULL AS "__posts_4"
    FROM "scan_1"
    UNION ALL
    SELECT
      "post__kind",
      NULL AS "__bad_posts_1",
      NULL AS "__posts_2",
      "__bad_posts_3",
      "__posts_4"
    FROM "scan_2"
  ) AS "branches"
  GROUP BY
    1
)
SELECT
  "post__kind",
  CAST("__bad_posts_1" AS DOUBLE) / CAST(NULLIF("__posts_2", 0) AS DOUBLE) AS "bad_rate",
  (
    CAST("__bad_posts_1" AS DOUBLE) / CAST(NULLIF("__posts_2", 0) AS DOUBLE)
  ) - (
    CAST("__bad_posts_3" AS DOUBLE) / CAST(NULLIF("__posts_4", 0) AS DOUBLE)
  ) AS "bad_rate__change"
FROM "stitched"
