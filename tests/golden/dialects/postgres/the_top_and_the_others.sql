WITH "scan_1" AS (
  SELECT
    "__top"."creator__tier" AS "creator__tier",
    COALESCE("__top"."is_other", TRUE) AS "is_other",
    COUNT(DISTINCT "posts"."creator_id") AS "__posting_creators_1"
  FROM "small"."main"."posts" AS "posts"
  LEFT JOIN "small"."main"."creators" AS "__creator__creators" ON "posts"."creator_id" = "__creator__creators"."creator_id"
  LEFT JOIN (
    SELECT
      "creator__tier",
      FALSE AS "is_other"
    FROM (
      WITH "scan_1" AS (
        SELECT
          "__creator__creators"."tier" AS "creator__tier",
          COUNT(DISTINCT "posts"."creator_id") AS "__posting_creators_1"
        FROM "small"."main"."posts" AS "posts"
        LEFT JOIN "small"."main"."creators" AS "__creator__creators" ON "posts"."creator_id" = "__creator__creators"."creator_id"
        GROUP BY 1
      )
      SELECT
        "creator__tier",
        "__posting_creators_1" AS "posting_creators"
      FROM "scan_1"
    ) AS "ranked"
    ORDER BY "posting_creators" DESC NULLS LAST, ("creator__tier" COLLATE "C") ASC NULLS LAST
    LIMIT 1
  ) AS "__top" ON "__creator__creators"."tier" IS NOT DISTINCT FROM "__top"."creator__tier"
  GROUP BY 1, 2
)
SELECT
  "creator__tier",
  "is_other",
  "__posting_creators_1" AS "posting_creators"
FROM "scan_1"
ORDER BY "is_other" ASC NULLS LAST, "posting_creators" DESC NULLS LAST
