"""A transaction may promise to write no event of a case, so that the feed need not wait for it.

Revision ID: 0073
"""

from alembic import op

revision = "0073"
down_revision = "0072"

# Whoever began and has not ended is in the snapshot; its locks are read after it. Who has ended in
# between is not found there and counts as running: the watermark is never too high. 727003 is the
# advisory lock that everybody holds who gave the promise.
BELOW = """
CREATE FUNCTION decided_below(with_quiet boolean) RETURNS xid8
LANGUAGE sql VOLATILE SET search_path = public, pg_temp AS $body$
  SELECT coalesce(min(running.xid), pg_snapshot_xmax(pg_current_snapshot()))
  FROM pg_snapshot_xip(pg_current_snapshot()) AS running (xid)
  WHERE NOT EXISTS (
    SELECT FROM pg_locks AS held JOIN pg_stat_activity AS backend ON backend.pid = held.pid
    WHERE held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock' AND held.granted
      AND held.transactionid = running.xid::xid
      AND (
        backend.datid <> (SELECT oid FROM pg_database WHERE datname = current_database())
        OR (with_quiet AND EXISTS (
          SELECT FROM pg_locks AS promise
          WHERE promise.pid = held.pid AND promise.locktype = 'advisory' AND promise.granted
            AND promise.classid = 0 AND promise.objid = 727003 AND promise.objsubid = 1
        ))
      )
  )
$body$;
COMMENT ON FUNCTION decided_below IS
  'Every transaction of this database below has ended, or promised to write no event of a case.';
"""

PROMISE = """
CREATE FUNCTION writes_no_event() RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  IF EXISTS (SELECT FROM incident_event WHERE xid = pg_current_xact_id_if_assigned()) THEN
    RAISE EXCEPTION 'this transaction has written events: it cannot promise to write none';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(727003), set_config('wangge.writes_no_event', 'yes', true);
END
$body$;

CREATE FUNCTION keep_promise() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  IF current_setting('wangge.writes_no_event', true) = 'yes' THEN
    RAISE EXCEPTION 'this transaction promised to write no event: the feed has not waited for it';
  END IF;
  RETURN NULL;
END
$body$;

CREATE TRIGGER incident_event_promise BEFORE INSERT ON incident_event
FOR EACH STATEMENT EXECUTE FUNCTION keep_promise();
"""


def upgrade() -> None:
    op.execute(BELOW)
    op.execute(PROMISE)


def downgrade() -> None:
    op.execute("DROP TRIGGER incident_event_promise ON incident_event")
    op.execute("DROP FUNCTION keep_promise, writes_no_event, decided_below")
