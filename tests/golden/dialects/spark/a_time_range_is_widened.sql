WITH `scan_1` AS (
  SELECT
    CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'month') AS TIMESTAMP_NTZ) AS `metric_time__month`,
    SUM(`__days`.`__posts_1`) AS `__posts_1`
  FROM (
    SELECT
      `posts`.`post_date` AS `__1`,
      COUNT(`posts`.`post_id`) AS `__posts_1`
    FROM `small`.`main`.`posts` AS `posts`
    WHERE CAST(CAST(`posts`.`post_date` AS DATE) AS TIMESTAMP_NTZ) >= CAST('2026-01-01 00:00:00' AS TIMESTAMP_NTZ)
      AND CAST(CAST(`posts`.`post_date` AS DATE) AS TIMESTAMP_NTZ) <= CAST('2026-01-31 23:59:59.999999' AS TIMESTAMP_NTZ)
    GROUP BY 1
  ) AS `__days`
  GROUP BY 1
)
SELECT
  `metric_time__month`,
  `__posts_1` AS `posts`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
