-- Counts of key population: what departments gave, and what stands beside it on the map.

-- name: waiting
-- kinds and months with a table that is newer than what is told of them
SELECT c.category, c.period
FROM population_count AS c JOIN population_batch AS b ON b.id = c.batch_id
GROUP BY c.category, c.period
HAVING max(b.uploaded_at) > coalesce(
  (SELECT max(t.published_at) FROM population_told AS t
   WHERE t.category = c.category AND t.period = c.period), '-infinity')
ORDER BY c.category, c.period

-- name: given
-- the last count given of each area in a month
SELECT DISTINCT ON (area_code) area_code, count AS given
FROM population_count WHERE category = :category AND period = :period
ORDER BY area_code, batch_id DESC

-- name: forces
-- workers who answer for areas and those of them who are on duty, by the code they answer for
SELECT g.area_code AS code, count(*) AS workers,
       count(*) FILTER (WHERE EXISTS (
         SELECT FROM shift AS s
         WHERE s.account_id = a.id AND s.starts_at <= :now AND s.ends_at > :now)) AS on_duty
FROM assignment AS g JOIN account AS a ON a.id = g.account_id
WHERE g.role IN ('worker', 'grid_leader') AND a.is_active
  AND g.valid_from <= :today AND (g.valid_to IS NULL OR g.valid_to > :today)
  AND g.area_code >= :lo AND g.area_code < :hi
GROUP BY g.area_code

-- name: services
-- public facilities that serve people, by the code of the area they stand in
SELECT left(area_code, :length) AS code, count(*) AS services
FROM facility
WHERE valid_to IS NULL AND kind = ANY(:kinds) AND area_code >= :lo AND area_code < :hi
GROUP BY 1
