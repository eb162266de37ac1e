-- Statements of grids.responsibility.

-- name: question
-- One case as the matrix sees it, with the version in force at the moment; always one row. The
-- matrix is written in today's codes: one of an older list is asked as what it is today.
SELECT s.id AS set_id, s.uid, c.kind, t.code,
       (CAST(:at AS timestamptz) AT TIME ZONE z.zone) AS local_at,
       coalesce(w.is_workday, extract(isodow FROM CAST(:at AS timestamptz) AT TIME ZONE z.zone) < 6)
         AS is_workday
FROM category AS c
CROSS JOIN LATERAL (SELECT coalesce(
  (SELECT m.to_code FROM code_map AS m
   WHERE m.kind = c.kind AND m.from_system = c.code_system AND m.from_code = c.code
     AND m.to_system = 'GBT47678.5-2026' AND m.to_code <> ''
   ORDER BY m.relation = 'exact' DESC, m.to_code LIMIT 1),
  CASE WHEN c.code_system IN ('GBT47678.5-2026', 'LOCAL', 'SG') THEN c.code ELSE '' END
) AS code) AS t
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
    AND c.code_system IN ('GBT47678.5-2026', 'LOCAL', 'SG')
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

-- name: trial_month
-- The cases of one month under two versions. One row for each: department before and after, rule
-- after, town and category (both only where something changed), with how many cases, how many had
-- only the rule for everything, how many each version gave to who had them in the end, the same
-- for cases that were returned, and the newest three as examples.
--
-- Cases that look the same to both matrices are ruled once: `keys` holds them without repetition,
-- cut to what some rule asks for (:reach digits of the area; owner, band and day where used).
WITH span AS (
  SELECT city_zone AS zone FROM city
  UNION ALL SELECT 'Asia/Shanghai' WHERE NOT EXISTS (SELECT FROM city)
), told AS MATERIALIZED (
  SELECT i.id, i.category_id, left(i.area_code, :reach) AS area,
         CASE WHEN :owners THEN coalesce(p.department_code, '') ELSE '' END AS owner,
         CASE WHEN :bands THEN (
           CASE WHEN coalesce(w.is_workday, extract(isodow FROM l.at) < 6)
             THEN CASE WHEN l.at::time >= :opens AND l.at::time < :closes
               THEN '{working}'::text[] ELSE '{off_hours}'::text[] END
             ELSE '{off_hours,weekend}'::text[] END
           || CASE WHEN l.at::time >= :dusk OR l.at::time < :dawn THEN '{night}'::text[]
              ELSE '{}'::text[] END
         ) ELSE '{}'::text[] END AS bands,
         CASE WHEN :days THEN l.at::date END AS day,
         left(i.area_code, 9) AS town, i.department_code AS had,
         i.return_count > 0 AS was_returned, i.received_at
  FROM incident AS i
  CROSS JOIN span
  CROSS JOIN LATERAL (SELECT i.received_at AT TIME ZONE span.zone AS at) AS l
  LEFT JOIN component AS p ON :owners AND p.id = i.component_id
  LEFT JOIN workday AS w ON :bands AND w.day = l.at::date
  WHERE i.received_at >= :since AND i.received_at < :until
), keys AS MATERIALIZED (
  SELECT DISTINCT category_id, area, owner, bands, day FROM told
), asked AS MATERIALIZED (
  SELECT k.*, c.kind, t.code,
         ARRAY(SELECT left(t.code, n) FROM generate_series(0, length(t.code)) AS n) AS codes
  FROM keys AS k
  JOIN category AS c ON c.id = k.category_id
  CROSS JOIN LATERAL (SELECT coalesce(
    (SELECT m.to_code FROM code_map AS m
     WHERE m.kind = c.kind AND m.from_system = c.code_system AND m.from_code = c.code
       AND m.to_system = 'GBT47678.5-2026' AND m.to_code <> ''
     ORDER BY m.relation = 'exact' DESC, m.to_code LIMIT 1),
    CASE WHEN c.code_system IN ('GBT47678.5-2026', 'LOCAL', 'SG') THEN c.code ELSE '' END
  ) AS code) AS t
), ruled AS MATERIALIZED (
  SELECT a.category_id, a.area, a.owner, a.bands, a.day, a.kind, a.code,
         b.department_code AS before, b.rank AS before_rank,
         n.department_code AS after, n.rank AS after_rank, n.id AS rule
  FROM asked AS a
  LEFT JOIN LATERAL (
    SELECT r.department_code, r.rank FROM responsibility_rule AS r
    WHERE r.rule_set_id = :before AND r.category = ANY (a.codes) AND r.kind IN ('', a.kind)
      AND starts_with(a.area, r.area) AND r.owner IN ('', a.owner)
      AND (r.band = '' OR r.band = ANY (a.bands))
      AND ((lower_inf(r.days) AND upper_inf(r.days)) OR r.days @> a.day)
    ORDER BY r.rank DESC LIMIT 1
  ) AS b ON true
  LEFT JOIN LATERAL (
    SELECT r.id, r.department_code, r.rank FROM responsibility_rule AS r
    WHERE r.rule_set_id = :after AND r.category = ANY (a.codes) AND r.kind IN ('', a.kind)
      AND starts_with(a.area, r.area) AND r.owner IN ('', a.owner)
      AND (r.band = '' OR r.band = ANY (a.bands))
      AND ((lower_inf(r.days) AND upper_inf(r.days)) OR r.days @> a.day)
    ORDER BY r.rank DESC LIMIT 1
  ) AS n ON true
), joined AS (
  SELECT t.*, r.before, r.after, r.rule, r.kind, r.code, r.before_rank, r.after_rank,
         r.before IS DISTINCT FROM r.after AS is_changed
  FROM told AS t
  JOIN ruled AS r ON r.category_id = t.category_id AND r.area = t.area AND r.owner = t.owner
    AND r.bands = t.bands AND r.day IS NOT DISTINCT FROM t.day
)
SELECT before, after, town, is_changed,
       CASE WHEN is_changed THEN rule END AS rule,
       CASE WHEN is_changed THEN kind || ' ' || code END AS category,
       count(*) AS cases,
       count(*) FILTER (WHERE coalesce(before_rank, 0) = 0) AS default_before,
       count(*) FILTER (WHERE coalesce(after_rank, 0) = 0) AS default_after,
       count(had) AS dispatched,
       count(*) FILTER (WHERE had = before) AS right_before,
       count(*) FILTER (WHERE had = after) AS right_after,
       count(*) FILTER (WHERE was_returned) AS returned,
       count(*) FILTER (WHERE was_returned AND had = before) AS returned_before,
       count(*) FILTER (WHERE was_returned AND had = after) AS returned_after,
       CASE WHEN is_changed
         THEN (array_agg(id::text ORDER BY received_at DESC))[1:3] END AS examples
FROM joined
GROUP BY 1, 2, 3, 4, 5, 6
