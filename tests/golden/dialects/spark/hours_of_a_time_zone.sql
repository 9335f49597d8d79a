WITH `scan_1` AS (
  SELECT
    CAST(CAST(CONVERT_TIMEZONE('UTC', 'Asia/Jakarta', CAST(CAST(`posts`.`posted_at` AS TIMESTAMP_NTZ) AS TIMESTAMP_NTZ)) AS DATE) AS TIMESTAMP_NTZ) AS `metric_time__day`,
    COUNT(`posts`.`post_id`) AS `__clocked_posts_1`
  FROM `small`.`main`.`posts` AS `posts`
  GROUP BY 1
)
SELECT
  `metric_time__day`,
  `__clocked_posts_1` AS `posts_by_clock`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
