WITH `scan_1` AS (
  SELECT
    CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'week') AS TIMESTAMP_NTZ) AS `metric_time__week`,
    `__days`.`__2` AS `creator__tier`,
    SUM(`__days`.`__views_1`) AS `__views_1`
  FROM (
    SELECT
      `posts`.`post_date` AS `__1`,
      `__creator__creators`.`tier` AS `__2`,
      SUM(`posts`.`views`) AS `__views_1`
    FROM `small`.`main`.`posts` AS `posts`
    LEFT JOIN `small`.`main`.`creators` AS `__creator__creators` ON `posts`.`creator_id` = `__creator__creators`.`creator_id`
    GROUP BY 1, 2
  ) AS `__days`
  GROUP BY 1, 2
),
`with_totals` AS (
  SELECT
    `scan_1`.*,
    `total_1`.`__of_all__total_1_1`
  FROM `scan_1`
  LEFT JOIN (
    WITH `scan_1` AS (
      SELECT
        CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'week') AS TIMESTAMP_NTZ) AS `metric_time__week`,
        SUM(`__days`.`__total_1__views_1`) AS `__total_1__views_1`
      FROM (
        SELECT
          `posts`.`post_date` AS `__1`,
          SUM(`posts`.`views`) AS `__total_1__views_1`
        FROM `small`.`main`.`posts` AS `posts`
        GROUP BY 1
      ) AS `__days`
      GROUP BY 1
    )
    SELECT
      `metric_time__week`,
      `__total_1__views_1` AS `__of_all__total_1_1`
    FROM `scan_1`
  ) AS `total_1` ON `scan_1`.`metric_time__week` <=> `total_1`.`metric_time__week`
)
SELECT
  `metric_time__week`,
  `creator__tier`,
  `__views_1` AS `views`,
  CAST(`__views_1` AS DOUBLE) / CAST(NULLIF(`__of_all__total_1_1`, 0) AS DOUBLE) AS `views__share`
FROM `with_totals`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
