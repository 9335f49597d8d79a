WITH "scan_1" AS (
  SELECT
    "reviews"."region" AS "review__region",
    SUM("reviews"."bad_weight") AS "bad_weight_1",
    SUM("reviews"."weight") AS "weight_2",
    SUM(CASE WHEN NOT "reviews"."review_id" IS NULL THEN 1 ELSE 0 END) AS "reviews_3"
  FROM "small"."main"."reviews" AS "reviews"
  GROUP BY
    1
), "variance_1" AS (
  SELECT
    "review__region",
    0.95 * (
      CASE
        WHEN COUNT(*) < 2 OR MIN(ABS(all_denominator - denominator)) = 0
        THEN NULL
        ELSE SUM(
          POWER(
            (
              all_numerator - numerator
            ) / (
              all_denominator - denominator
            ) - all_numerator / all_denominator,
            2
          )
        )
      END
    ) AS "__variance__bad_rate"
  FROM (
    SELECT
      *,
      SUM("numerator") OVER (PARTITION BY "review__region") AS "all_numerator",
      SUM("denominator") OVER (PARTITION BY "review__region") AS "all_denominator"
    FROM (
      SELECT
        "review__region",
        "replicate_group",
        SUM("numerator") AS "numerator",
        SUM("denominator") AS "denominator"
      FROM (
        SELECT
          "reviews"."region" AS "review__region",
          "reviews"."replicate_group" AS "replicate_group",
          CAST(COALESCE(SUM("reviews"."bad_weight"), 0) AS DOUBLE) AS "numerator",
          CAST(0 AS DOUBLE) AS "denominator"
        FROM "small"."main"."reviews" AS "reviews"
        GROUP BY
          1,
          2
        UNION ALL
        SELECT
          "reviews"."region" AS "review__region",
          "reviews"."replicate_group" AS "replicate_group",
          CAST(0 AS DOUBLE) AS "numerator",
          CAST(COALESCE(SUM("reviews"."weight"), 0) AS DOUBLE) AS "denominator"
        FROM "small"."main"."reviews" AS "reviews"
        GROUP BY
          1,
          2
      ) AS sums
      GROUP BY
        1,
        2
    ) AS by_replicate
  ) AS with_totals
  GROUP BY
    1
), "stitched" AS (
  SELECT
    "review__region",
    MAX("bad_weight_1") AS "bad_weight_1",
    MAX("weight_2") AS "weight_2",
    MAX("reviews_3") AS "reviews_3",
    MAX("__variance__bad_rate") AS "__variance__bad_rate"
  FROM (
    SELECT
      "review__region",
      "bad_weight_1",
      "weight_2",
      "reviews_3",
      NULL AS "__variance__bad_rate",
      1 AS "__is_asked"
    FROM scan_1
    UNION ALL
    SELECT
      "review__region",
      NULL AS "bad_weight_1",
      NULL AS "weight_2",
      NULL AS "reviews_3",
      "__variance__bad_rate",
      0 AS "__is_asked"
    FROM variance_1
  ) AS branches
  GROUP BY
    1
  HAVING
    MAX("__is_asked") = 1
)
SELECT
  "review__region",
  CASE
    WHEN "reviews_3" >= 5
    THEN CAST("bad_weight_1" AS DOUBLE) / CAST(NULLIF("weight_2", 0) AS DOUBLE)
  END AS "bad_rate",
  "reviews_3" AS "__units__reviews",
  "__variance__bad_rate"
FROM stitched
