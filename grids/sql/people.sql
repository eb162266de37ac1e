-- Counts of people by the deepest area known. Nothing else of a person leaves these statements.

-- name: persons_by_kind
-- residents of today by area and by residency and age band
SELECT area_code, residency || ' ' || age_band AS kind, count(*) AS n
FROM person WHERE moved_out_on IS NULL OR moved_out_on > :today GROUP BY 1, 2

-- name: persons_by_group
-- residents of today by area and by age band, residency and kind of household
SELECT p.area_code, p.age_band || ' ' || p.residency || ' ' || h.kind AS kind, count(*) AS n
FROM person AS p JOIN household AS h ON h.id = p.household_id
WHERE p.moved_out_on IS NULL OR p.moved_out_on > :today GROUP BY 1, 2

-- name: households_by_area
SELECT area_code, 'households' AS kind, count(*) AS n
FROM household WHERE ended_on IS NULL GROUP BY 1

-- name: rentals_by_area
SELECT b.area_code, 'rentals' AS kind, count(*) AS n
FROM dwelling AS d JOIN building AS b ON b.id = d.building_id
WHERE d.use = 'rental' AND b.valid_to IS NULL GROUP BY 1

-- name: areas_of_today
SELECT code FROM area WHERE valid_to IS NULL
UNION ALL
SELECT g.code FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id WHERE v.valid @> :today

-- name: draws
SELECT leaf, drawn_on, lasts, kinds, told FROM people_draw WHERE subject = :subject
