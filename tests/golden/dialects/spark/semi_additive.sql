WITH `scan_1` AS (
  SELECT
    `metric_time__week`,
    SUM(`__violating_creators_1`) AS `__violating_creators_1`,
    SUM(`__active_creators_2`) AS `__active_creators_2`
  FROM (
    SELECT
      `metric_time__week`,
      `__violating_creators_1`,
      `__active_creators_2`
    FROM (
      SELECT
        CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'week') AS TIMESTAMP_NTZ) AS `metric_time__week`,
        `__days`.`__violating_creators_1` AS `__violating_creators_1`,
        `__days`.`__active_creators_2` AS `__active_creators_2`,
        CAST(CAST(`__days`.`__1` AS DATE) AS TIMESTAMP_NTZ) = MAX(CAST(CAST(`__days`.`__1` AS DATE) AS TIMESTAMP_NTZ)) OVER (PARTITION BY CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'week') AS TIMESTAMP_NTZ)) AS `__kept`
      FROM (
        SELECT
          `states`.`status_date` AS `__1`,
          SUM(`states`.`violating`) AS `__violating_creators_1`,
          COUNT(`states`.`creator_id`) AS `__active_creators_2`
        FROM `small`.`main`.`states` AS `states`
        GROUP BY 1
      ) AS `__days`
    ) AS `all_rows`
    WHERE `__kept`
  ) AS `rows_kept`
  GROUP BY 1
)
SELECT
  `metric_time__week`,
  CAST(`__violating_creators_1` AS DOUBLE) / CAST(NULLIF(`__active_creators_2`, 0) AS DOUBLE) AS `creator_violation_rate`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
