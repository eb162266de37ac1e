"""A report is written by one call: its answer, its case, its first event, its first clock.

Revision ID: 0046
"""

from alembic import op

revision = "0046"
down_revision = "0045"

# Whoever judged a report by lists in memory says which version they had. `xmin` tells apart a
# version that was rolled back from one with the same number that was not.
VERSION = """
CREATE FUNCTION judged_by() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = public, pg_temp AS $body$
BEGIN  -- as a function in SQL it would be planned anew by each call
  RETURN (
    SELECT coalesce(string_agg(name || ':' || no || ':' || xmin, ' ' ORDER BY name), '')
    FROM source_version WHERE name IN ('city', 'category', 'category_limit', 'category_rule',
                                               'stage_limit')
  );
END $body$;
"""

# Runs with the caller's rights: the policies of each table hold here as they do elsewhere.
# Writes everything or, where the outcome is not `taken`, nothing but perhaps a number.
TAKE = """
CREATE FUNCTION take_report(
  judged text, digest bytea, lon float8, lat float8, is_edge_checked boolean,
  report jsonb, told jsonb, stage text, day date,
  OUT outcome text, OUT made_number text, OUT made_area text, OUT is_followed boolean
) LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
DECLARE
  given incident := jsonb_populate_record(NULL::incident, report);
  said incident_event := jsonb_populate_record(NULL::incident_event, told);
  after text[] := ARRAY(SELECT jsonb_array_elements_text(told -> 'after'));
  place geometry := ST_SetSRID(ST_MakePoint(lon, lat), 4490);
  linked record;
BEGIN
  IF judged <> judged_by() THEN
    outcome := 'outdated';
    RETURN;
  END IF;
  PERFORM set_config('wangge.case', given.id::text, true);
  IF EXISTS (SELECT FROM request_key WHERE id = given.id) THEN
    outcome := 'known';
    RETURN;
  END IF;
  IF cardinality(said.photos) > 0 THEN
    PERFORM set_config('wangge.photos', array_to_string(said.photos, ','), true);
    SELECT named INTO outcome FROM unnest(said.photos) AS named
    WHERE NOT EXISTS (SELECT FROM blob WHERE sha256 = named) LIMIT 1;
    IF FOUND THEN
      made_number := outcome;
      outcome := 'photo';
      RETURN;
    END IF;
  END IF;
  SELECT * INTO linked FROM link_place(place);
  made_area := linked.area_code;
  IF length(made_area) <= 6 AND NOT is_edge_checked THEN
    outcome := 'edge';
    RETURN;
  END IF;
  made_number := next_incident_number(day);
  -- Waits for a report with the same id that is being written: of twenty at once one is taken.
  INSERT INTO request_key (id, kind, body_hash, status, answer, created_at)
  VALUES (given.id, 'incident', digest, 201,
          jsonb_build_object('id', given.id, 'number', made_number), given.received_at)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    outcome := 'known';
    RETURN;
  END IF;
  INSERT INTO incident (
    id, number, track_hash, category_id, category_code, component_id, grid_version_id, text,
    address, channel, urgency, status, handler_id, reporter_id, reported_at, received_at,
    stage_at, due_at, handled_at, closed_at, event_count, flags, level, cell_id, grid_id,
    area_code, coord_source, accuracy_m, source, geom
  ) VALUES (
    given.id, made_number, given.track_hash, given.category_id, given.category_code,
    given.component_id, linked.grid_version_id, given.text, given.address, given.channel,
    given.urgency, given.status, given.handler_id, given.reporter_id, given.reported_at,
    given.received_at, given.stage_at, given.due_at, given.handled_at, given.closed_at, 1,
    given.flags, given.level, linked.cell_id, linked.grid_id, made_area, given.coord_source,
    given.accuracy_m, given.source, place
  );
  INSERT INTO incident_event (
    recorded_at, incident_id, seq, id, action, from_status, to_status, actor_id, role, area_code,
    device_at, device, geom, photos, data
  ) VALUES (
    given.received_at, given.id, 1, given.id, said.action, said.from_status, said.to_status,
    said.actor_id, said.role, made_area, said.device_at, said.device, place, said.photos,
    said.data || jsonb_build_object('number', made_number)
  );
  IF stage IS NOT NULL THEN
    INSERT INTO incident_clock (incident_id, stage, started_at, due_at, limit_value, limit_unit)
    VALUES (given.id, take_report.stage, given.received_at, given.due_at,
            (said.data -> 'stage_limit' ->> 0)::float8, said.data -> 'stage_limit' ->> 1);
  END IF;
  IF cardinality(said.photos) > 0 THEN
    INSERT INTO attachment (incident_id, event_seq, sha256, part)
    SELECT given.id, 1, named.sha256,
           CASE WHEN named.at > cardinality(said.photos) - cardinality(after)
                THEN 'after' ELSE told ->> 'part' END
    FROM unnest(said.photos) WITH ORDINALITY AS named (sha256, at);
  END IF;
  -- Steps that a phone sent before the report that they follow; of the reporter alone.
  IF given.reporter_id IS NOT NULL THEN
    IF scope_actor() IS NULL THEN  -- nobody told the policies who calls
      PERFORM set_config('wangge.actor', given.reporter_id::text, true);
    END IF;
    is_followed := EXISTS (
      SELECT FROM held_move
      WHERE follows = given.id AND state = 'waiting' AND account_id = given.reporter_id
    );
  END IF;
  outcome := 'taken';
END $body$;
REVOKE ALL ON FUNCTION take_report FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_report TO wangge_app, wangge_worker;
"""

# Of tables that no layer is drawn from, but reports are judged by.
NOTED = ("category_limit", "category_rule", "stage_limit")


def upgrade() -> None:
    op.execute(VERSION)
    op.execute(TAKE)
    for table in NOTED:
        op.execute(
            f"CREATE TRIGGER {table}_note_change"
            f" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )


def downgrade() -> None:
    for table in NOTED:
        op.execute(f"DROP TRIGGER {table}_note_change ON {table}")
    op.execute("DROP FUNCTION take_report, judged_by")
