WITH `scan_1` AS (
  SELECT
    `posts`.`kind` AS `post__kind`,
    COUNT(*) FILTER (WHERE `posts`.`is_bad`) AS `__bad_posts_1`,
    COUNT(`posts`.`post_id`) AS `__posts_2`,
    SUM(CASE WHEN NOT (`posts`.`post_id` IS NULL) THEN 1 ELSE 0 END) FILTER (WHERE `posts`.`kind` = 'video') AS `__posts_3`
  FROM `small`.`main`.`posts` AS `posts`
  GROUP BY 1
)
SELECT
  `post__kind`,
  CASE WHEN `__posts_3` >= 1 THEN CAST(`__bad_posts_1` AS DOUBLE) / CAST(NULLIF(`__posts_2`, 0) AS DOUBLE) END AS `guarded_rate`,
  `__posts_3` AS `__units__video_posts`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
