-- Patterns in the audit log. Every statement is bounded in time: `at` leads the key of each
-- month's partition. Columns: subject, account_id, first_at, last_at, times, detail.

-- name: by_account
-- one account did it often
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(*)::int AS times,
       jsonb_build_object('sources', count(DISTINCT source_ip)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND actor_id IS NOT NULL
GROUP BY actor_id HAVING count(*) >= :least

-- name: by_source
-- one source did it often, whoever it said to be
SELECT 'source:' || source_ip AS subject, NULL::bigint AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(*)::int AS times,
       jsonb_build_object('accounts', count(DISTINCT actor_id)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND source_ip <> ''
GROUP BY source_ip HAVING count(*) >= :least

-- name: accounts_of_source
-- one source tried many accounts
SELECT 'source:' || source_ip AS subject, NULL::bigint AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(DISTINCT actor_id)::int AS times,
       jsonb_build_object('tries', count(*)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND source_ip <> '' AND actor_id IS NOT NULL
GROUP BY source_ip HAVING count(DISTINCT actor_id) >= :least

-- name: sources_of_account
-- one account from different sources within minutes: nobody sits at two desks
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(DISTINCT source_ip)::int AS times,
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
       max(in_at) AS last_at, count(*)::int AS times, '{}'::jsonb AS detail
FROM tries WHERE NOT is_success AND at < in_at
GROUP BY actor_id HAVING count(*) >= :least

-- name: records_of_account
-- records of persons that one account was shown; a list says how many it held
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, sum(records)::int AS times,
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

-- name: rows_of_account
-- rows that one account took away
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, least(sum(rows), 2147483647)::int AS times,
       jsonb_build_object('acts', count(*)) AS detail
FROM (
  SELECT actor_id, at,
         CASE WHEN jsonb_typeof(detail -> 'rows') = 'number' THEN (detail ->> 'rows')::numeric
              ELSE 0 END AS rows
  FROM audit_event
  WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
    AND actor_id IS NOT NULL
) AS taken
GROUP BY actor_id HAVING sum(rows) >= :least

-- name: chain_broken
-- a verification found a row that is not as it was sealed
SELECT 'log' AS subject, NULL::bigint AS account_id, min(ended_at) AS first_at,
       max(ended_at) AS last_at, count(*)::int AS times,
       jsonb_build_object('problems', jsonb_agg(DISTINCT problem)) AS detail
FROM audit_check
WHERE ended_at >= :since AND ended_at < :until AND problem <> ''
HAVING count(*) >= :least

-- name: log_unsealed
-- the sealer is silent for longer than its limit: sensitive acts have stopped
SELECT 'log' AS subject, NULL::bigint AS account_id, seen_at AS first_at, seen_at AS last_at,
       1 AS times, jsonb_build_object('limit_s', limit_s) AS detail
FROM audit_state
WHERE limit_s > 0 AND seen_at < CAST(:until AS timestamptz) - make_interval(secs => limit_s)

-- name: night_of_account
-- between ten in the evening and six in the morning on the city's clock
SELECT 'account:' || actor_id AS subject, actor_id AS account_id, min(at) AS first_at,
       max(at) AS last_at, count(*)::int AS times,
       jsonb_build_object('sources', count(DISTINCT source_ip)) AS detail
FROM audit_event
WHERE at >= :since AND at < :until AND action = ANY(CAST(:actions AS text[]))
  AND actor_id IS NOT NULL
  AND ((at AT TIME ZONE :zone)::time >= '22:00' OR (at AT TIME ZONE :zone)::time < '06:00')
GROUP BY actor_id HAVING count(*) >= :least

-- name: sleeper
-- an account that nobody had used for 90 days
SELECT 'account:' || e.actor_id AS subject, e.actor_id AS account_id, min(e.at) AS first_at,
       max(e.at) AS last_at, count(*)::int AS times, '{}'::jsonb AS detail
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
  ('denied', 'account:' || e.actor_id, e.action = ANY(CAST(:denied AS text[]))),
  ('locked', 'account:' || e.actor_id, e.action = 'account_locked')
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
SELECT kind, subject, sum(count)::int AS times, max(hour) AS last_hour
FROM signal_count WHERE hour >= :since AND kind = :kind AND subject LIKE :like
GROUP BY kind, subject ORDER BY sum(count) DESC, subject LIMIT :most

-- name: by_hour
-- one kind by the hour for the console's chart
SELECT hour, sum(count)::int AS times FROM signal_count
WHERE hour >= :since AND kind = :kind AND subject LIKE :like GROUP BY hour ORDER BY hour

-- name: night_exports
-- who took data away by night, on the city's clock
SELECT subject, sum(count)::int AS times, max(hour) AS last_hour
FROM signal_count
WHERE hour >= :since AND kind = 'export' AND subject LIKE 'account:%'
  AND ((hour AT TIME ZONE :zone)::time >= '22:00' OR (hour AT TIME ZONE :zone)::time < '06:00')
GROUP BY subject ORDER BY sum(count) DESC, subject LIMIT 8

-- name: system_state
-- what the database knows of the processes around it
SELECT current_setting('server_version') AS server,
       pg_database_size(current_database()) AS size_bytes,
       (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS connections,
       current_setting('max_connections')::int AS most_connections,
       (SELECT count(*)::int FROM procrastinate_workers
        WHERE last_heartbeat > now() - make_interval(secs => :silent)) AS workers,
       q.waiting, q.doing, q.failed, q.oldest_waiting_s,
       (SELECT no FROM feed_state) AS feed_no,
       feed_sealed_at() AS feed_at,
       (SELECT max(published_at) FROM people_count) AS counts_at,
       (SELECT looked_at FROM signal_state) AS watched_at
FROM (
  SELECT count(*) FILTER (WHERE status = 'todo')::int AS waiting,
         count(*) FILTER (WHERE status = 'doing')::int AS doing,
         count(*) FILTER (WHERE status = 'failed')::int AS failed,
         coalesce(max(extract(epoch FROM CAST(:now AS timestamptz) - e.at))
                  FILTER (WHERE status = 'todo'), 0)::int AS oldest_waiting_s
  FROM procrastinate_jobs AS j
  LEFT JOIN LATERAL (
    SELECT greatest(min(at), j.scheduled_at) AS at FROM procrastinate_events WHERE job_id = j.id
  ) AS e ON j.status = 'todo'
) AS q
