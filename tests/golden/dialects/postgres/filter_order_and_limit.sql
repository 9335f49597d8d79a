WITH "scan_1" AS (
  SELECT
    "__creator__creators"."region" AS "creator__region",
    SUM("posts"."views") AS "__views_1"
  FROM "small"."main"."posts" AS "posts"
  LEFT JOIN "small"."main"."creators" AS "__creator__creators" ON "posts"."creator_id" = "__creator__creators"."creator_id"
  WHERE "__creator__creators"."tier" IN ('gold', 'new')
    AND "posts"."kind" = 'video'
  GROUP BY 1
)
SELECT
  "creator__region",
  "__views_1" AS "views"
FROM "scan_1"
ORDER BY "views" DESC NULLS LAST
LIMIT 3
