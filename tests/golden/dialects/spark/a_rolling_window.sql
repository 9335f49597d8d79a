WITH `scan_1` AS (
  WITH `totals` AS (
    SELECT
      `__days`.`__1` AS `creator__tier`,
      CAST(CAST(`__days`.`__2` AS DATE) AS TIMESTAMP_NTZ) AS `__moment`,
      SUM(`__days`.`__views_1`) AS `__views_1`,
      COUNT(*) AS `__rows`
    FROM (
      SELECT
        `__creator__creators`.`tier` AS `__1`,
        `posts`.`post_date` AS `__2`,
        SUM(`posts`.`views`) AS `__views_1`
      FROM `small`.`main`.`posts` AS `posts`
      LEFT JOIN `small`.`main`.`creators` AS `__creator__creators` ON `posts`.`creator_id` = `__creator__creators`.`creator_id`
      GROUP BY 1, 2
    ) AS `__days`
    GROUP BY 1, 2
  )
  SELECT
    `creator__tier`,
    `metric_time__day`,
    `__views_1`
  FROM (
    SELECT
      `creator__tier`,
      `metric_time__day`,
      SUM(`__views_1`) OVER (PARTITION BY `creator__tier` ORDER BY CASE WHEN `__is_spine` THEN CAST(`__moment` AS TIMESTAMP_NTZ) + INTERVAL '0.000001' SECOND ELSE CAST(`__moment` AS TIMESTAMP_NTZ) END ASC NULLS LAST RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW) AS `__views_1`,
      SUM(`__rows`) OVER (PARTITION BY `creator__tier` ORDER BY CASE WHEN `__is_spine` THEN CAST(`__moment` AS TIMESTAMP_NTZ) + INTERVAL '0.000001' SECOND ELSE CAST(`__moment` AS TIMESTAMP_NTZ) END ASC NULLS LAST RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW) AS `__rows`,
      `__is_spine`
    FROM (
      SELECT
        `creator__tier`,
        `__moment`,
        NULL AS `metric_time__day`,
        `__views_1`,
        `__rows`,
        FALSE AS `__is_spine`
      FROM `totals`
      WHERE NOT (`__moment` IS NULL)
      UNION ALL
      SELECT
        `groups`.`creator__tier`,
        `moments`.`__moment`,
        `moments`.`metric_time__day`,
        NULL,
        0,
        TRUE
      FROM (
        SELECT
          `__spine`.`date_day` AS `metric_time__day`,
          `__spine`.`date_day` AS `__moment`
        FROM `small`.`main`.`days` AS `__spine`
      ) AS `moments`
      CROSS JOIN (
        SELECT DISTINCT
          `creator__tier`
        FROM `totals`
      ) AS `groups`
      WHERE `moments`.`__moment` >= (SELECT MIN(`__moment`) FROM `totals`)
        AND `moments`.`__moment` <= (CAST(CAST((SELECT MAX(`__moment`) FROM `totals`) AS TIMESTAMP_NTZ) + INTERVAL '7' DAY AS TIMESTAMP_NTZ) + INTERVAL '4' DAY)
    ) AS `series`
  ) AS `looked_back`
  WHERE `__is_spine`
    AND `__rows` > 0
)
SELECT
  `metric_time__day`,
  `creator__tier`,
  `__views_1` AS `views_7d`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
