WITH "scan_1" AS (
  SELECT
    CAST(EXTRACT(isodow FROM CAST("__days"."__1" AS TIMESTAMP)) AS BIGINT) AS "metric_time__extract_dow",
    SUM("__days"."__posts_1") AS "__posts_1"
  FROM (
    SELECT
      "posts"."post_date" AS "__1",
      COUNT("posts"."post_id") AS "__posts_1"
    FROM "small"."main"."posts" AS "posts"
    LEFT JOIN "small"."main"."creators" AS "__creator__creators" ON "posts"."creator_id" = "__creator__creators"."creator_id"
    WHERE ((LOWER("__creator__creators"."tier" COLLATE "pg_c_utf8") LIKE LOWER(E'g\\_%' COLLATE "pg_c_utf8") ESCAPE '') OR (("__creator__creators"."tier" || 'x') = 'it''s'))
    GROUP BY 1
  ) AS "__days"
  GROUP BY 1
)
SELECT
  "metric_time__extract_dow",
  "__posts_1" AS "posts"
FROM "scan_1"
