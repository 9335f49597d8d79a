WITH `scan_1` AS (
  SELECT
    CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'week') AS TIMESTAMP_NTZ) AS `metric_time__week`,
    SUM(`__days`.`__views_1`) AS `__views_1`
  FROM (
    SELECT
      `posts`.`post_date` AS `__1`,
      SUM(`posts`.`views`) AS `__views_1`
    FROM `small`.`main`.`posts` AS `posts`
    WHERE CAST(CAST(`posts`.`post_date` AS DATE) AS TIMESTAMP_NTZ) >= CAST('2026-01-12 00:00:00' AS TIMESTAMP_NTZ)
      AND CAST(CAST(`posts`.`post_date` AS DATE) AS TIMESTAMP_NTZ) <= CAST('2026-01-25 23:59:59.999999' AS TIMESTAMP_NTZ)
    GROUP BY 1
  ) AS `__days`
  GROUP BY 1
),
`scan_2` AS (
  SELECT
    CAST(`totals`.`metric_time__week` AS TIMESTAMP_NTZ) + INTERVAL '7' DAY AS `metric_time__week`,
    `__views_2`
  FROM (
    SELECT
      CAST(TRUNC(CAST(`__days`.`__1` AS DATE), 'week') AS TIMESTAMP_NTZ) AS `metric_time__week`,
      SUM(`__days`.`__views_2`) AS `__views_2`
    FROM (
      SELECT
        `posts`.`post_date` AS `__1`,
        SUM(`posts`.`views`) AS `__views_2`
      FROM `small`.`main`.`posts` AS `posts`
      WHERE CAST(TRUNC(CAST(`posts`.`post_date` AS DATE), 'week') AS TIMESTAMP_NTZ) >= (CAST(CAST('2026-01-12 00:00:00' AS TIMESTAMP_NTZ) AS TIMESTAMP_NTZ) - INTERVAL '7' DAY)
        AND CAST(TRUNC(CAST(`posts`.`post_date` AS DATE), 'week') AS TIMESTAMP_NTZ) < (CAST(CAST(CAST('2026-01-25 23:59:59.999999' AS TIMESTAMP_NTZ) AS TIMESTAMP_NTZ) + INTERVAL '0.000001' SECOND AS TIMESTAMP_NTZ) - INTERVAL '7' DAY)
      GROUP BY 1
    ) AS `__days`
    GROUP BY 1
  ) AS `totals`
  WHERE NOT (`totals`.`metric_time__week` IS NULL)
),
`stitched` AS (
  SELECT
    `metric_time__week`,
    MAX(`__views_1`) AS `__views_1`,
    MAX(`__views_2`) AS `__views_2`
  FROM (
    SELECT
      `metric_time__week`,
      `__views_1`,
      NULL AS `__views_2`
    FROM `scan_1`
    UNION ALL
    SELECT
      `metric_time__week`,
      NULL AS `__views_1`,
      `__views_2`
    FROM `scan_2`
  ) AS `branches`
  GROUP BY 1
)
SELECT
  `metric_time__week`,
  `__views_1` AS `views`,
  `__views_2` AS `views__previous`
FROM `stitched`
WHERE ASSERT_TRUE(CURRENT_TIMEZONE() IN ('UTC', 'Etc/UTC', 'GMT', 'Z', '+00:00') AND TYPEOF(1 + '1') = 'bigint' AND LENGTH('\\') = 1, 'gnomon: the session must be in UTC, with spark.sql.ansi.enabled and no escapedStringLiterals') IS NULL
