WITH `scan_1` AS (
  SELECT
    `__creator__creators`.`tier` AS `creator__tier`,
    COUNT(`posts`.`post_id`) AS `__posts_1`,
    SUM(`posts`.`views`) AS `__views_2`,
    COUNT(*) FILTER (WHERE `posts`.`is_bad`) AS `__bad_posts_3`
  FROM `small`.`main`.`posts` AS `posts`
  LEFT JOIN `small`.`main`.`creators` AS `__creator__creators` ON `posts`.`creator_id` = `__creator__creators`.`creator_id`
  GROUP BY 1
)
SELECT
  `creator__tier`,
  `__posts_1` AS `posts`,
  `__views_2` AS `views`,
  CAST(`__bad_posts_3` AS DOUBLE) / CAST(NULLIF(`__posts_1`, 0) AS DOUBLE) AS `bad_rate`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
