-- Statements of grids.responsibility.

-- name: question
-- One case as the matrix sees it, with the version in force at the moment; always one row.
SELECT s.id AS set_id, s.uid, c.kind, c.code,
       (CAST(:at AS timestamptz) AT TIME ZONE z.zone) AS local_at,
       coalesce(w.is_workday, extract(isodow FROM CAST(:at AS timestamptz) AT TIME ZONE z.zone) < 6)
         AS is_workday
FROM category AS c
CROSS JOIN (SELECT coalesce((SELECT city_zone FROM city), 'Asia/Shanghai') AS zone) AS z
LEFT JOIN responsibility_set AS s ON s.valid @> CAST(:at AS timestamptz)
LEFT JOIN workday AS w ON w.day = (CAST(:at AS timestamptz) AT TIME ZONE z.zone)::date
WHERE c.id = :category_id

-- name: usual
-- Where no version is in force: what the category's limit names, else the first department.
SELECT coalesce(
  (SELECT department_code FROM category_limit
   WHERE category_id = :category_id AND department_code IS NOT NULL
   ORDER BY valid_from DESC, id LIMIT 1),
  (SELECT code FROM department ORDER BY sort, code LIMIT 1)
)

-- name: gaps
-- Every open category with how many rules of a version share the highest rank, in the whole
-- city and in each area that a rule names: one is right. An area that no rule names has the
-- answer of the nearest around it; owners, bands and dates only ever add a narrower rule. So
-- where this has one answer, every case has one.
WITH plain AS (
  SELECT kind, category, area, rank FROM responsibility_rule
  WHERE rule_set_id = :set_id AND owner = '' AND band = ''
    AND lower_inf(days) AND upper_inf(days)
), asked AS (
  SELECT c.kind, c.code, a.area
  FROM category AS c CROSS JOIN (SELECT '' AS area UNION SELECT area FROM plain) AS a
  WHERE c.parent IS NOT NULL AND (c.valid_to IS NULL OR c.valid_to > current_date)
), answered AS (
  SELECT a.kind, a.code, a.area, p.rank,
         max(p.rank) OVER (PARTITION BY a.kind, a.code, a.area) AS highest
  FROM asked AS a
  LEFT JOIN plain AS p ON p.kind IN ('', a.kind) AND starts_with(a.code, p.category)
    AND starts_with(a.area, p.area)
)
SELECT kind || ' ' || code AS category, area, count(*) FILTER (WHERE rank = highest) AS answers
FROM answered
GROUP BY kind, code, area
HAVING count(*) FILTER (WHERE rank = highest) <> 1
ORDER BY 1, 2
LIMIT :most
