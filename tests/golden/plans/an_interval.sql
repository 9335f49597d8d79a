WITH "scan_1" AS (
  SELECT
    "reviews"."region" AS "review__region",
    SUM("reviews"."bad_weight") AS "__bad_weight_1",
    SUM("reviews"."weight") AS "__weight_2",
    COUNT("reviews"."review_id") AS "__reviews_3"
  FROM "small"."main"."reviews" AS "reviews"
  GROUP BY
    1
), "variance_1" AS (
  SELECT
    "review__region",
    CASE
      WHEN MIN(ABS((
        "__weight_2__all" - "__weight_2"
      ))) > 0
      THEN 0.95 * SUM(
        POWER(
          (
            (
              CAST((
                "__bad_weight_1__all" - "__bad_weight_1"
              ) AS DOUBLE) / CAST(NULLIF((
                "__weight_2__all" - "__weight_2"
              ), 0) AS DOUBLE)
            ) - (
              CAST("__bad_weight_1__all" AS DOUBLE) / CAST(NULLIF("__weight_2__all", 0) AS DOUBLE)
            )
          ),
          2
        )
      )
    END AS "__variance__bad_rate",
    SUM(CASE WHEN "__weight_2" <> 0 THEN 1 ELSE 0 END) AS "__replicates__bad_rate"
  FROM (
    SELECT
      *,
      SUM("__bad_weight_1") OVER (PARTITION BY "review__region") AS "__bad_weight_1__all",
      SUM("__weight_2") OVER (PARTITION BY "review__region") AS "__weight_2__all"
    FROM (
      SELECT
        "review__region",
        "__replicate_group",
        SUM("__bad_weight_1") AS "__bad_weight_1",
        SUM("__weight_2") AS "__weight_2"
      FROM (
        SELECT
          "review__region",
          "__replicate_group",
          CAST(COALESCE("__bad_weight_1", 0) AS DOUBLE) AS "__bad_weight_1",
          CAST(COALESCE("__weight_2", 0) AS DOUBLE) AS "__weight_2"
        FROM (
          SELECT
            "reviews"."region" AS "review__region",
            "reviews"."replicate_group" AS "__replicate_group",
            SUM("reviews"."bad_weight") AS "__bad_weight_1",
            SUM("reviews"."weight") AS "__weight_2"
          FROM "small"."main"."reviews" AS "reviews"
          GROUP BY
            1,
            2
        ) AS "part"
      ) AS "sums"
      GROUP BY
        1,
        2
    ) AS "by_replicate"
  ) AS "with_totals"
  GROUP BY
    1
), "stitched" AS (
  SELECT
    "review__region",
    MAX("__bad_weight_1") AS "__bad_weight_1",
    MAX("__weight_2") AS "__weight_2",
    MAX("__reviews_3") AS "__reviews_3",
    MAX("__variance__bad_rate") AS "__variance__bad_rate",
    MAX("__replicates__bad_rate") AS "__replicates__bad_rate"
  FROM (
    SELECT
      "review__region",
      "__bad_weight_1",
      "__weight_2",
      "__reviews_3",
      NULL AS "__variance__bad_rate",
      NULL AS "__replicates__bad_rate",
      1 AS "__is_asked"
    FROM "scan_1"
    UNION ALL
    SELECT
      "review__region",
      NULL AS "__bad_weight_1",
      NULL AS "__weight_2",
      NULL AS "__reviews_3",
      "__variance__bad_rate",
      "__replicates__bad_rate",
      0 AS "__is_asked"
    FROM "variance_1"
  ) AS "branches"
  GROUP BY
    1
  HAVING
    MAX("__is_asked") = 1
)
SELECT
  "review__region",
  CASE
    WHEN "__reviews_3" >= 5
    THEN CAST("__bad_weight_1" AS DOUBLE) / CAST(NULLIF("__weight_2", 0) AS DOUBLE)
  END AS "bad_rate",
  "__reviews_3" AS "__units__reviews",
  "__variance__bad_rate",
  "__replicates__bad_rate"
FROM "stitched"
