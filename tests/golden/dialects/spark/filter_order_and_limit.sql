WITH `scan_1` AS (
  SELECT
    `__creator__creators`.`region` AS `creator__region`,
    SUM(`posts`.`views`) AS `__views_1`
  FROM `small`.`main`.`posts` AS `posts`
  LEFT JOIN `small`.`main`.`creators` AS `__creator__creators` ON `posts`.`creator_id` = `__creator__creators`.`creator_id`
  WHERE `__creator__creators`.`tier` IN ('gold', 'new')
    AND `posts`.`kind` = 'video'
  GROUP BY 1
)
SELECT
  `creator__region`,
  `__views_1` AS `views`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
ORDER BY `views` DESC NULLS LAST
LIMIT 3
