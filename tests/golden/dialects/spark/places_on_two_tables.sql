WITH `scan_1` AS (
  SELECT
    `main`.`creators`.`region` AS `creator__region`,
    SUM(`main`.`posts`.`views`) AS `__views_1`
  FROM `small`.`main`.`posts`
  LEFT JOIN `small`.`main`.`creators` ON `main`.`posts`.`creator_id` = `main`.`creators`.`creator_id`
  WHERE TRUE
    [[AND {{post__kind}}]]
    [[AND {{creator__tier}}]]
    [[AND {{metric_time__day}}]]
  GROUP BY 1
)
SELECT
  `creator__region`,
  `__views_1` AS `views`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
