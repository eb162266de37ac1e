-- Areas of the tree with their boxes.

-- name: area_children
-- areas under a code, with their boxes; of the scope only
SELECT code, level, kind, name_zh, name_en,
       ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east, ST_YMax(geom) AS north,
       EXISTS (SELECT FROM area AS c WHERE c.parent_code = area.code AND c.valid_to IS NULL)
         AS has_children
FROM area WHERE valid_to IS NULL AND parent_code = :parent ORDER BY code LIMIT :most

-- name: area_one
SELECT code, level, kind, name_zh, name_en,
       ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east, ST_YMax(geom) AS north,
       EXISTS (SELECT FROM area AS c WHERE c.parent_code = area.code AND c.valid_to IS NULL)
         AS has_children
FROM area WHERE valid_to IS NULL AND code = :code

-- name: grids_of_community
-- duty grids of a community as areas of the tree
SELECT g.code, 15 AS level, g.kind, g.name AS name_zh, g.name AS name_en,
       ST_XMin(v.geom) AS west, ST_YMin(v.geom) AS south,
       ST_XMax(v.geom) AS east, ST_YMax(v.geom) AS north, false AS has_children
FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id
WHERE v.valid @> coalesce(CAST(:on AS date), (SELECT city_today())) AND g.code >= :lo AND g.code < :hi ORDER BY g.code LIMIT :most
