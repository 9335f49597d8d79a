WITH `scan_1` AS (
  SELECT
    CAST(CAST(`__days`.`__1` AS DATE) AS TIMESTAMP_NTZ) AS `metric_time__day`,
    SUM(`__days`.`__posts_1`) AS `__posts_1`
  FROM (
    SELECT
      `posts`.`post_date` AS `__1`,
      COUNT(`posts`.`post_id`) AS `__posts_1`
    FROM `small`.`main`.`posts` AS `posts`
    GROUP BY 1
  ) AS `__days`
  GROUP BY 1
)
SELECT
  `metric_time__day`,
  `__posts_1` AS `posts`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
