WITH "scan_1" AS (
  WITH "totals" AS (
    SELECT
      "__days"."__1" AS "creator__tier",
      DATE_TRUNC('day', CAST("__days"."__2" AS TIMESTAMP)) AS "__moment",
      SUM("__days"."__views_1") AS "__views_1",
      COUNT(*) AS "__rows"
    FROM (
      SELECT
        "__creator__creators"."tier" AS "__1",
        "posts"."post_date" AS "__2",
        SUM("posts"."views") AS "__views_1"
      FROM "small"."main"."posts" AS "posts"
      LEFT JOIN "small"."main"."creators" AS "__creator__creators" ON "posts"."creator_id" = "__creator__creators"."creator_id"
      GROUP BY 1, 2
    ) AS "__days"
    GROUP BY 1, 2
  )
  SELECT
    "creator__tier",
    "metric_time__day",
    "__views_1"
  FROM (
    SELECT
      "creator__tier",
      "metric_time__day",
      SUM("__views_1") OVER (PARTITION BY "creator__tier" ORDER BY CAST("__moment" AS TIMESTAMP) ASC NULLS LAST RANGE BETWEEN (INTERVAL '7 day' - INTERVAL '1 microsecond') PRECEDING AND CURRENT ROW) AS "__views_1",
      SUM("__rows") OVER (PARTITION BY "creator__tier" ORDER BY CAST("__moment" AS TIMESTAMP) ASC NULLS LAST RANGE BETWEEN (INTERVAL '7 day' - INTERVAL '1 microsecond') PRECEDING AND CURRENT ROW) AS "__rows",
      "__is_spine"
    FROM (
      SELECT
        "creator__tier",
        "__moment",
        CAST(NULL AS DATE) AS "metric_time__day",
        "__views_1",
        "__rows",
        FALSE AS "__is_spine"
      FROM "totals"
      WHERE NOT ("__moment" IS NULL)
      UNION ALL
      SELECT
        "groups"."creator__tier",
        "moments"."__moment",
        "moments"."metric_time__day",
        CAST(NULL AS SMALLINT),
        0,
        TRUE
      FROM (
        SELECT
          "__spine"."date_day" AS "metric_time__day",
          "__spine"."date_day" AS "__moment"
        FROM "small"."main"."days" AS "__spine"
      ) AS "moments"
      CROSS JOIN (
        SELECT DISTINCT
          "creator__tier"
        FROM "totals"
      ) AS "groups"
      WHERE "moments"."__moment" >= (SELECT MIN("__moment") FROM "totals")
        AND "moments"."__moment" <= (CAST(CAST((SELECT MAX("__moment") FROM "totals") AS TIMESTAMP) + INTERVAL '7 day' AS TIMESTAMP) + INTERVAL '4 day')
    ) AS "series"
  ) AS "looked_back"
  WHERE "__is_spine"
    AND "__rows" > 0
)
SELECT
  "metric_time__day",
  "creator__tier",
  "__views_1" AS "views_7d"
FROM "scan_1"
