-- Tables held against each other, and cases that have got stuck. The worker asks, for nobody.
-- Checks give one row: looked, bad, first (a few names of what is bad).

-- name: chosen
-- the cases of a night: open ones, those that moved lately, and a share of the others
SELECT id FROM incident AS i
WHERE :everything OR status = ANY(CAST(:open AS text[]))
   OR stage_at >= :since OR abs(hashtext(id::text)) % :parts = :part
ORDER BY id

-- name: events
-- no case has a gap in its events, and each counts them
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(number ORDER BY number) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT i.number, i.event_count <> e.n OR e.n <> e.last OR e.n IS NULL AS bad
  FROM incident AS i LEFT JOIN (
    SELECT incident_id, count(*) AS n, max(seq) AS last FROM incident_event GROUP BY incident_id
  ) AS e ON e.incident_id = i.id
  WHERE :everything OR i.stage_at >= :since OR i.status = ANY(CAST(:open AS text[]))
) AS found

-- name: feed
-- each committed event stands in the feed, once
SELECT count(*) AS looked, count(*) FILTER (WHERE n <> 1) AS bad,
       (array_agg(name ORDER BY name) FILTER (WHERE n <> 1))[1:5] AS first
FROM (
  SELECT i.number || ' #' || e.seq AS name, count(f.no) AS n
  FROM incident_event AS e
  JOIN incident AS i ON i.id = e.incident_id
  LEFT JOIN feed AS f ON f.incident_id = e.incident_id AND f.seq = e.seq
    AND (:everything OR f.sealed_at >= :since)
  WHERE (:everything OR e.recorded_at >= :since) AND e.recorded_at < :settled
  GROUP BY i.number, e.incident_id, e.seq
) AS found

-- name: feed_extra
-- nothing stands in the feed that is no event
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(name ORDER BY name) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT 'feed ' || f.no AS name, e.seq IS NULL AS bad
  FROM feed AS f
  LEFT JOIN incident_event AS e ON e.incident_id = f.incident_id AND e.seq = f.seq
  WHERE :everything OR f.sealed_at >= :since
) AS found

-- name: owners
-- somebody has each open case: who handles is a department or a person that is still there
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(number ORDER BY number) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT i.number, i.status IN ('pending_sign', 'handling')
    AND i.department_code IS NULL AND i.holder_id IS NULL AND i.handler_id IS NULL AS bad
  FROM incident AS i WHERE i.status = ANY(CAST(:open AS text[]))
) AS found

-- name: clocks
-- one clock of each open case runs or stands still in the open, and lists show its end
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(number ORDER BY number) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT i.number,
    CASE
      WHEN i.status = 'suspended' THEN coalesce(c.running, 0) <> 0 OR coalesce(c.held, 0) = 0
      WHEN coalesce(c.running, 0) = 0 THEN coalesce(c.held, 0) = 0 OR i.due_at IS NOT NULL
      ELSE c.running <> 1 OR i.due_at IS DISTINCT FROM c.due_at
    END AS bad
  FROM incident AS i LEFT JOIN (
    SELECT k.incident_id, count(*) FILTER (WHERE NOT p.is_held) AS running,
           count(*) FILTER (WHERE p.is_held) AS held,
           min(k.due_at) FILTER (WHERE NOT p.is_held) AS due_at
    FROM incident_clock AS k
    CROSS JOIN LATERAL (
      SELECT jsonb_array_length(k.paused) > 0 AND (k.paused -> -1 ->> 1) IS NULL AS is_held
    ) AS p
    WHERE k.ended_at IS NULL GROUP BY k.incident_id
  ) AS c ON c.incident_id = i.id
  WHERE i.status = ANY(CAST(:open AS text[]))
) AS found

-- name: outbox
-- each message has ended, or will be tried
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(name ORDER BY name) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT r.code || ' ' || m.id AS name,
    m.next_at > :now + interval '2 hours'
    OR (m.next_at < :now - interval '2 hours' AND r.is_active
        AND coalesce(r.paused_until < :now, true)
        AND NOT EXISTS (
          SELECT FROM outbox_message AS e
          WHERE e.receiver = m.receiver AND e.incident_id = m.incident_id AND e.state = 'pending'
            AND e.seq < m.seq)) AS bad
  FROM outbox_message AS m JOIN outbox_receiver AS r ON r.code = m.receiver
  WHERE m.state = 'pending'
) AS found

-- name: told
-- whoever sent a case was told of each of its steps
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(name ORDER BY name) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT i.number || ' #' || e.seq AS name, NOT EXISTS (
    SELECT FROM outbox_message AS m
    WHERE m.incident_id = e.incident_id AND m.seq = e.seq AND m.receiver = s.receiver
  ) AS bad
  FROM channel_case AS c
  JOIN channel_system AS s ON s.code = c.system AND s.receiver IS NOT NULL
  JOIN incident AS i ON i.id = c.incident_id
  JOIN incident_event AS e ON e.incident_id = c.incident_id AND e.seq > 1
  WHERE c.direction = 'in' AND e.action <> ALL(CAST(:quiet AS text[]))
    AND (:everything OR e.recorded_at >= :since) AND e.recorded_at >= c.received_at
) AS found

-- name: channel_cases
-- each case of another system has its receipt, and the state that its case has
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(name ORDER BY name) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT i.number AS name, c.id IS NULL
    OR (c.direction = 'in' AND c.body_hash IS NULL)
    OR (c.direction = 'out' AND c.state = 'acknowledged' AND c.sender_id = '')
    OR (c.state <> 'waiting' AND c.ack_at IS NULL)
    OR (c.state = 'waiting' AND i.status = ANY(CAST(:over AS text[])) AND i.status <> 'merged')
    OR (c.state = 'ended' AND i.status = ANY(CAST(:open AS text[]))) AS bad
  FROM incident AS i
  LEFT JOIN channel_case AS c ON c.incident_id = i.id
  WHERE c.id IS NOT NULL OR (
    i.channel = 'system' AND (:everything OR i.stage_at >= :since) AND EXISTS (
      SELECT FROM incident_event AS e WHERE e.incident_id = i.id
        AND e.recorded_at = i.received_at AND e.seq = 1 AND e.device LIKE 'system:%'))
) AS found

-- name: letters
-- a letter that was dealt with says what became of it
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(name ORDER BY name) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT l.id::text AS name,
    (l.state = 'registered' AND l.incident_id IS NULL)
    OR (l.state = 'answered' AND NOT EXISTS (
      SELECT FROM letter_answer AS a JOIN outbox_message AS m ON m.contact = a.id
      WHERE a.letter_id = l.id))
    OR (l.state <> 'new' AND l.done_at IS NULL)
    OR (l.state = 'put_aside' AND l.reason = '') AS bad
  FROM letter AS l
) AS found

-- name: photos
-- the photos whose files are looked at, newest first
SELECT b.sha256, b.public_sha256, b.thumb_sha256, b.size FROM blob AS b
WHERE :everything OR b.created_at >= :since OR abs(hashtext(b.sha256)) % :parts = :part
ORDER BY b.created_at DESC, b.sha256

-- name: attachments
-- each attachment belongs to an event of its case that there is
SELECT count(*) AS looked, count(*) FILTER (WHERE bad) AS bad,
       (array_agg(name ORDER BY name) FILTER (WHERE bad))[1:5] AS first
FROM (
  SELECT i.number || ' ' || left(a.sha256, 12) AS name, a.event_seq > i.event_count AS bad
  FROM attachment AS a JOIN incident AS i ON i.id = a.incident_id
  WHERE :everything OR i.stage_at >= :since OR i.status = ANY(CAST(:open AS text[]))
) AS found

-- name: stuck
-- open cases that do not go on by themselves: one row per case and cause
WITH open_case AS (
  SELECT id, number, status, area_code, flags, stage_at, due_at, received_at, department_code,
         holder_id, handler_id
  FROM incident WHERE status = ANY(CAST(:open AS text[]))
), asked AS (
  SELECT c.id, c.number, c.area_code, c.stage_at, flag.key AS flag, e.recorded_at AS since
  FROM open_case AS c CROSS JOIN LATERAL jsonb_each(c.flags) AS flag
  JOIN incident_event AS e ON e.incident_id = c.id AND e.recorded_at >= c.received_at
    AND e.seq = CASE WHEN flag.value ->> 'seq' ~ '^\d{1,9}$' THEN (flag.value ->> 'seq')::int END
  WHERE c.flags <> '{}' AND flag.key = ANY(CAST(:asked AS text[]))
), found AS (
  SELECT id, number, area_code, stage_at, 'no_owner' AS cause, stage_at AS since FROM open_case
  WHERE status IN ('pending_sign', 'handling') AND department_code IS NULL
    AND holder_id IS NULL AND handler_id IS NULL
  UNION ALL
  SELECT id, number, area_code, stage_at, 'no_clock', stage_at FROM open_case AS c
  WHERE NOT EXISTS (
    SELECT FROM incident_clock AS k WHERE k.incident_id = c.id AND k.ended_at IS NULL)
  UNION ALL
  SELECT c.id, c.number, c.area_code, c.stage_at, 'no_movement', c.due_at FROM open_case AS c
  WHERE c.due_at < :now
    AND c.due_at + greatest((c.due_at - c.stage_at) * (CAST(:factor AS float8) - 1),
                            make_interval(hours => :least_h)) < :now
    AND NOT EXISTS (
      SELECT FROM incident_event AS e
      WHERE e.incident_id = c.id AND e.recorded_at >= c.due_at AND e.actor_id IS NOT NULL)
  UNION ALL
  SELECT id, number, area_code, stage_at,
         CASE flag WHEN 'waiting_reporter' THEN 'reporter' ELSE 'undecided' END, since FROM asked
  WHERE since < :now - CASE flag WHEN 'waiting_reporter' THEN make_interval(hours => :reporter_h)
                       ELSE make_interval(hours => :undecided_h) END
  UNION ALL
  SELECT id, number, area_code, stage_at, flag, until FROM (
    SELECT c.id, c.number, c.area_code, c.stage_at, flag.key AS flag,
           CASE WHEN flag.value ->> 'until' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d'
             THEN (flag.value ->> 'until')::timestamptz END AS until
    FROM open_case AS c CROSS JOIN LATERAL jsonb_each(c.flags) AS flag
    WHERE c.flags <> '{}' AND flag.key IN ('review', 'outside')
  ) AS promised WHERE until < :now
  UNION ALL
  SELECT c.id, c.number, c.area_code, c.stage_at, 'paused',
         min((k.paused -> -1 ->> 0)::timestamptz)
  FROM open_case AS c JOIN incident_clock AS k ON k.incident_id = c.id AND k.ended_at IS NULL
    AND jsonb_array_length(k.paused) > 0 AND (k.paused -> -1 ->> 1) IS NULL
  WHERE c.status NOT IN ('suspended', 'outside')
  GROUP BY c.id, c.number, c.area_code, c.stage_at
  HAVING min((k.paused -> -1 ->> 0)::timestamptz) < :now - make_interval(hours => :paused_h)
)
SELECT id, number, area_code, cause, min(since) AS since FROM found
GROUP BY id, number, area_code, cause
ORDER BY min(since), number, cause
LIMIT :most
