-- Patterns in the audit log. Every statement is bounded in time: `at` leads the key of each
-- month's partition. Columns: subject, account_id, first_at, last_at, count, detail.

-- name: by_account
-- one account did it often
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(*)::int AS count,
       jsonb_build_object('sources', count(DISTINCT source_ip)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND actor_id IS NOT NULL
GROUP BY actor_id HAVING count(*) >= :least

-- name: by_source
-- one source did it often, whoever it said to be
SELECT 'source:' || source_ip AS subject, NULL::bigint AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(*)::int AS count,
       jsonb_build_object('accounts', count(DISTINCT actor_id)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND source_ip <> ''
GROUP BY source_ip HAVING count(*) >= :least

-- name: accounts_of_source
-- one source tried many accounts
SELECT 'source:' || source_ip AS subject, NULL::bigint AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(DISTINCT actor_id)::int AS count,
       jsonb_build_object('tries', count(*)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND source_ip <> '' AND actor_id IS NOT NULL
GROUP BY source_ip HAVING count(DISTINCT actor_id) >= :least

-- name: sources_of_account
-- one account from different sources within minutes: nobody sits at two desks
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(DISTINCT source_ip)::int AS count,
       jsonb_build_object('addresses', jsonb_agg(DISTINCT source_ip)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND is_success AND actor_id IS NOT NULL AND source_ip <> ''
GROUP BY actor_id HAVING count(DISTINCT source_ip) >= :least

-- name: guessed
-- a sign-in right after a series of failures
WITH tries AS (
  SELECT actor_id, at, is_success, max(at) FILTER (WHERE is_success) OVER (PARTITION BY actor_id) AS in_at
  FROM audit_event
  WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
    AND actor_id IS NOT NULL
)
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(in_at) AS last_at, count(*)::int AS count, '{}'::jsonb AS detail
FROM tries WHERE NOT is_success AND at < in_at
GROUP BY actor_id HAVING count(*) >= :least

-- name: records_of_account
-- records of persons that one account was shown; a list says how many it held
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, sum(records)::int AS count,
       jsonb_build_object('acts', count(*), 'subjects', count(DISTINCT subject)) AS detail
FROM (
  SELECT actor_id, at, subject,
         CASE WHEN jsonb_typeof(detail -> 'count') = 'number' THEN (detail ->> 'count')::numeric
              ELSE 1 END AS records
  FROM audit_event
  WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
    AND is_success AND actor_id IS NOT NULL
) AS shown
GROUP BY actor_id HAVING sum(records) >= :least

-- name: night_of_account
-- between ten in the evening and six in the morning on the city's clock
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(*)::int AS count,
       jsonb_build_object('sources', count(DISTINCT source_ip)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND actor_id IS NOT NULL
  AND ((at AT TIME ZONE :zone)::time >= '22:00' OR (at AT TIME ZONE :zone)::time < '06:00')
GROUP BY actor_id HAVING count(*) >= :least

-- name: sleeper
-- an account that nobody had used for 90 days
SELECT 'account:' || e.actor_id AS subject, e.actor_id AS account_id, min(e.at) AS first_at,
       max(e.at) AS last_at, count(*)::int AS count, '{}'::jsonb AS detail
FROM audit_event AS e JOIN account AS a ON a.id = e.actor_id
WHERE e.at >= :since AND e.at < :until AND e.action = ANY(CAST(:actions AS text[]))
  AND a.created_at < e.at - interval '90 days'
  AND NOT EXISTS (
    SELECT FROM audit_event AS earlier
    WHERE earlier.actor_id = e.actor_id AND earlier.at < :since
      AND earlier.at >= e.at - interval '90 days'
      AND earlier.action = ANY(CAST(:actions AS text[]))
  )
GROUP BY e.actor_id HAVING count(*) >= :least

-- name: count_hours
-- what the console draws, by the hour; counting an hour again gives the same
INSERT INTO signal_count (hour, kind, subject, count)
SELECT date_trunc('hour', e.at, 'UTC'), s.kind, s.subject, count(*)
FROM audit_event AS e CROSS JOIN LATERAL (VALUES
  ('failed', 'account:' || e.actor_id, e.action = ANY(CAST(:failed AS text[]))),
  ('failed', 'source:' || nullif(e.source_ip, ''), e.action = ANY(CAST(:failed AS text[]))),
  ('signed_in', 'all', e.action = ANY(CAST(:signed_in AS text[]))),
  ('read', 'account:' || e.actor_id, e.action = ANY(CAST(:reads AS text[]))),
  ('export', 'account:' || e.actor_id, e.action = ANY(CAST(:exports AS text[]))),
  ('denied', 'account:' || e.actor_id, e.action = ANY(CAST(:denied AS text[])))
) AS s (kind, subject, is_one)
WHERE e.at >= :since AND e.at < :until AND s.is_one AND s.subject IS NOT NULL
GROUP BY 1, 2, 3
ON CONFLICT (hour, kind, subject) DO UPDATE SET count = excluded.count

-- name: raise_alarm
-- an alarm that is not closed grows; one that was closed comes again only for newer acts
INSERT INTO alarm (rule, subject, account_id, status, opened_at, first_at, last_at, count, detail)
SELECT :rule, :subject, CAST(:account_id AS bigint), 'open', :now,
       CAST(:first_at AS timestamptz), CAST(:last_at AS timestamptz), :count, CAST(:detail AS jsonb)
WHERE NOT EXISTS (
  SELECT FROM alarm AS a
  WHERE a.rule = :rule AND a.subject = :subject AND a.status = 'closed'
    AND a.last_at >= :last_at
)
ON CONFLICT (rule, subject) WHERE status <> 'closed' DO UPDATE SET
  last_at = greatest(alarm.last_at, excluded.last_at),
  first_at = least(alarm.first_at, excluded.first_at),
  count = greatest(alarm.count, excluded.count), detail = excluded.detail
RETURNING (xmax = 0) AS is_new

-- name: figures
-- sums of the last hours for the console's tables
SELECT kind, subject, sum(count)::int AS count, max(hour) AS last_hour
FROM signal_count WHERE hour >= :since AND kind = :kind AND subject LIKE :like
GROUP BY kind, subject ORDER BY sum(count) DESC, subject LIMIT :most

-- name: by_hour
-- one kind by the hour for the console's chart
SELECT hour, sum(count)::int AS count FROM signal_count
WHERE hour >= :since AND kind = :kind AND subject LIKE :like GROUP BY hour ORDER BY hour
