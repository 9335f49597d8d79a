WITH `scan_1` AS (
  SELECT
    CAST(EXTRACT(DAYOFWEEK_ISO FROM CAST(`__days`.`__1` AS TIMESTAMP_NTZ)) AS BIGINT) AS `metric_time__extract_dow`,
    SUM(`__days`.`__posts_1`) AS `__posts_1`
  FROM (
    SELECT
      `posts`.`post_date` AS `__1`,
      COUNT(`posts`.`post_id`) AS `__posts_1`
    FROM `small`.`main`.`posts` AS `posts`
    LEFT JOIN `small`.`main`.`creators` AS `__creator__creators` ON `posts`.`creator_id` = `__creator__creators`.`creator_id`
    WHERE ((CASE WHEN `__creator__creators`.`tier` RLIKE '[İΣ]' THEN RAISE_ERROR('gnomon: spark and the definitions make this letter small in different ways') ELSE LOWER(`__creator__creators`.`tier`) END LIKE 'g\\\\_%') OR ((`__creator__creators`.`tier` || 'x') = 'it\'s'))
    GROUP BY 1
  ) AS `__days`
  GROUP BY 1
)
SELECT
  `metric_time__extract_dow`,
  `__posts_1` AS `posts`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
