WITH `scan_1` AS (
  SELECT
    CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'week') AS TIMESTAMP_NTZ) AS `metric_time__week`,
    SUM(`__days`.`__views_1`) AS `__views_1`,
    SUM(`__days`.`__views_2`) AS `__views_2`
  FROM (
    SELECT
      `posts`.`post_date` AS `__1`,
      SUM(`posts`.`views`) AS `__views_1`,
      SUM(`posts`.`views`) FILTER (WHERE `__creator__creators`.`tier` = 'gold') AS `__views_2`
    FROM `small`.`main`.`posts` AS `posts`
    LEFT JOIN `small`.`main`.`creators` AS `__creator__creators` ON `posts`.`creator_id` = `__creator__creators`.`creator_id`
    GROUP BY 1
  ) AS `__days`
  GROUP BY 1
)
SELECT
  `metric_time__week`,
  `__views_1` AS `views`,
  `__views_2` AS `gold_views`,
  `__views_1` - `__views_2` AS `gap`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
