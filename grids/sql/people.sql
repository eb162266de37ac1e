-- Counts of people by the deepest area known. Nothing else of a person leaves these statements.

-- name: persons_by_area
SELECT area_code, count(*) AS people,
       count(*) FILTER (WHERE residency = 'migrant') AS migrants,
       count(*) FILTER (WHERE age_band IN ('60-79', '80+')) AS aged_60,
       count(*) FILTER (WHERE age_band IN ('0-5', '6-14')) AS children
FROM person WHERE moved_out_on IS NULL OR moved_out_on > :today GROUP BY area_code

-- name: households_by_area
SELECT area_code, count(*) AS households FROM household GROUP BY area_code

-- name: rentals_by_area
SELECT b.area_code, count(*) AS rentals
FROM dwelling AS d JOIN building AS b ON b.id = d.building_id
WHERE d.use = 'rental' AND b.valid_to IS NULL GROUP BY b.area_code

-- name: areas_of_today
SELECT code FROM area WHERE valid_to IS NULL
UNION ALL
SELECT g.code FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id WHERE v.valid @> :today
