WITH `scan_1` AS (
  SELECT
    SUM(`__first_violating_1`) AS `__first_violating_1`
  FROM (
    SELECT
      `__first_violating_1`
    FROM (
      SELECT
        `states`.`violating` AS `__first_violating_1`,
        (CAST(CAST(`states`.`status_date` AS DATE) AS TIMESTAMP_NTZ) = MIN(CAST(CAST(`states`.`status_date` AS DATE) AS TIMESTAMP_NTZ)) OVER (PARTITION BY `states`.`creator_id`)) AND (NOT (`states`.`creator_id` IS NULL)) AS `__kept`
      FROM `small`.`main`.`states` AS `states`
    ) AS `all_rows`
    WHERE `__kept`
  ) AS `rows_kept`
)
SELECT
  `__first_violating_1` AS `first_violating`
FROM `scan_1`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
