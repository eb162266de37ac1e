-- Figures of duty grids and what stands in one of them.

-- name: components_by_class
-- class of the component code, names, how many stand in the grid
SELECT c.code, k.name_zh, k.name_en, count(*) AS n
FROM component AS c
LEFT JOIN category AS k
  ON k.code_system = c.code_system AND k.kind = 'component' AND k.code = c.code
WHERE c.grid_id = :grid_id AND c.valid_to IS NULL AND c.state <> 'removed'
GROUP BY c.code, k.name_zh, k.name_en ORDER BY n DESC, c.code LIMIT :most

-- name: enterprises_of_grid
SELECT name, industry, kind, status FROM enterprise
WHERE grid_id = :grid_id AND valid_to IS NULL AND status <> 'closed' ORDER BY name LIMIT :most

-- name: premises_of_grid
SELECT coalesce(p.name, '') AS name, p.kind, p.floor_area_m2
FROM premises AS p WHERE p.grid_id = :grid_id AND p.valid_to IS NULL
ORDER BY p.kind, p.name LIMIT :most

-- name: buildings_of_grid
SELECT coalesce(name, '') AS name, kind, levels, dwellings FROM building
WHERE grid_id = :grid_id AND valid_to IS NULL AND dwellings > 0
ORDER BY dwellings DESC, id LIMIT :most

-- name: worker_of_grid
-- who answers for the grid, those on duty first
SELECT a.name, EXISTS (
    SELECT FROM shift AS s
    WHERE s.account_id = a.id AND s.starts_at <= :now AND s.ends_at > :now) AS on_duty
FROM assignment AS g JOIN account AS a ON a.id = g.account_id
WHERE g.role = 'worker' AND g.area_code = :code AND a.is_active
  AND g.valid_from <= :today AND (g.valid_to IS NULL OR g.valid_to > :today)
ORDER BY on_duty DESC, a.id LIMIT 1
