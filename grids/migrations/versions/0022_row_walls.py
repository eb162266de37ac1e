"""The second wall: what a row-level policy lets each serving role see (quality.md S16).

Revision ID: 0022
"""

from alembic import op

revision = "0022"
down_revision = "0021"

# A transaction says who asks (grids/scope/wall.py); a setting that nobody made is NULL here,
# and NULL lets nothing through. Bodies in the standard's form are bound when they are made, so
# that no search_path can turn their names, and they are still inlined.
SETTINGS = """
CREATE FUNCTION scope_areas() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('wangge.areas', true), '')::text[];

CREATE FUNCTION scope_department() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('wangge.department', true), '');

CREATE FUNCTION scope_actor() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('wangge.actor', true), '')::bigint;

CREATE FUNCTION scope_case() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('wangge.case', true), '')::uuid;

CREATE FUNCTION scope_photos() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN string_to_array(nullif(current_setting('wangge.photos', true), ''), ',');

CREATE FUNCTION scope_may(word text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(word = ANY (string_to_array(current_setting('wangge.may', true), ',')), false);
"""

# Each setting is read once a statement: a subselect is a plan of its own, a call would be run
# for every row.
IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
# As EXISTS, so that the planner may look up the few rows of a box one by one, or hash the
# department's tasks once for a long list.
MY_TASK = """EXISTS (
  SELECT FROM incident_task AS t
  WHERE t.incident_id = incident.id AND t.department_code = (SELECT scope_department())
)"""
# The area comes first: it decides for almost everybody. Department staff see what was
# dispatched to them; a reporter sees the own report wherever it lies; a stranger one case.
SEES_CASE = f"""(
  ({IN_AREAS} AND ((SELECT scope_department()) IS NULL OR {MY_TASK}))
  OR id = (SELECT scope_case()) OR reporter_id = (SELECT scope_actor())
)"""
CONTACT_OPEN = "(incident_id = (SELECT scope_case()) OR (SELECT scope_may('reporter')))"
NAMED = "sha256 = ANY ((SELECT scope_photos())::text[])"
OF_A_SEEN_PHOTO = "EXISTS (SELECT FROM attachment AS a WHERE a.sha256 = blob.sha256)"
# A transaction sees what itself has just written: PostgreSQL asks that of a row that an
# INSERT returns. Of others it sees at most what is written while it runs.
JUST_NOW = "at >= transaction_timestamp()"
OF_A_SEEN_CASE = "EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)"
SEES_PERSON = f"""(
  (SELECT scope_may('person')) AND (SELECT scope_department()) IS NULL AND {IN_AREAS}
)"""

# These run with their owner's rights and answer one narrow question each.
# `case_in_scope` is what the policy of a task asks: a plain subselect on the case would ask
# the case's policy, which asks the task's.
DOORS = f"""  -- no value comes from outside: one condition stands in two places
CREATE FUNCTION case_in_scope(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT EXISTS (SELECT FROM incident WHERE id = wanted AND {SEES_CASE})
$body$;

-- The case of a secret code, by the hash of the code.
CREATE FUNCTION case_tracked(hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT id FROM incident WHERE track_hash = hash
$body$;

-- "Was this reported already?" for a stranger: kind, state, time and distance, no case.
CREATE FUNCTION cases_nearby(
  place geometry, reach_m float8, category text, statuses text[], since timestamptz, most int
) RETURNS TABLE (category_id bigint, status text, received_at timestamptz, distance_m float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT i.category_id, i.status, i.received_at, ST_Distance(i.geom::geography, place::geography)
  FROM incident AS i
  WHERE i.geom && ST_Expand(place, reach_m / 100000) AND i.category_code = category
    AND i.status = ANY (statuses) AND i.received_at >= since
    AND ST_Distance(i.geom::geography, place::geography) <= reach_m
  ORDER BY 4 LIMIT least(most, 10)
$body$;

-- How often each matter was reported in some areas: the order of a form's choices.
CREATE FUNCTION matters_reported(areas text[], since timestamptz)
RETURNS TABLE (category_id bigint, n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT category_id, count(*) FROM incident
  WHERE received_at >= since AND area_code ^@ ANY (areas) GROUP BY category_id
$body$;

REVOKE ALL ON FUNCTION case_in_scope, case_tracked, cases_nearby, matters_reported FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_in_scope TO wangge_app, wangge_tiles;
GRANT EXECUTE ON FUNCTION case_tracked, cases_nearby, matters_reported TO wangge_app;
"""  # noqa: S608

WATCHED = (
    "person", "household", "incident", "incident_event", "incident_task", "incident_clock",
    "incident_reporter", "incident_link", "attachment", "blob", "audit_event",
)  # fmt: skip

# (table, name, command, roles, what rows are seen, what rows may be written)
POLICIES = (
    ("person", "scope", "ALL", "wangge_app", SEES_PERSON, SEES_PERSON),
    ("household", "scope", "ALL", "wangge_app", SEES_PERSON, SEES_PERSON),
    ("incident", "scope", "SELECT", "wangge_app, wangge_tiles", SEES_CASE, None),
    ("incident", "opened", "INSERT", "wangge_app", None, "id = (SELECT scope_case())"),
    ("incident", "moved", "UPDATE", "wangge_app", SEES_CASE, SEES_CASE),
    (
        "incident_task", "scope", "ALL", "wangge_app, wangge_tiles",
        "department_code = (SELECT scope_department()) OR case_in_scope(incident_id)",
        "case_in_scope(incident_id)",
    ),
    *((table, "scope", "ALL", "wangge_app", OF_A_SEEN_CASE, OF_A_SEEN_CASE)
      for table in ("incident_event", "incident_clock", "incident_link", "attachment")),
    (
        "incident_reporter", "scope", "ALL", "wangge_app",
        f"{CONTACT_OPEN} AND {OF_A_SEEN_CASE}", OF_A_SEEN_CASE,
    ),
    (
        "blob", "scope", "ALL", "wangge_app",
        f"account_id = (SELECT scope_actor()) OR {NAMED} OR {OF_A_SEEN_PHOTO}", NAMED,
    ),
    (
        "audit_event", "scope", "SELECT", "wangge_app",
        f"(SELECT scope_may('audit')) OR actor_id = (SELECT scope_actor()) OR {JUST_NOW}", None,
    ),
    ("audit_event", "written", "INSERT", "wangge_app", None, "true"),
    *((table, "everything", "ALL", "wangge_worker", "true", "true") for table in WATCHED),
    *((table, "audited", "SELECT", "wangge_auditor", "true", None)
      for table in ("audit_event", "incident_event")),
)  # fmt: skip

# A temporary table of a caller must not stand before ours (S18): what runs with its owner's
# rights names pg_temp last, every other function with statements in it names a path at all.
FIXED_PATHS = """
DO $body$
DECLARE
  one regprocedure;
BEGIN
  FOR one IN
    SELECT p.oid FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname NOT LIKE 'procrastinate%'
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
      AND (p.prosecdef OR l.lanname = 'plpgsql')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', one);
  END LOOP;
END $body$
"""


def upgrade() -> None:
    op.execute(SETTINGS)
    op.execute(DOORS)
    for table, name, command, roles, seen, written in POLICIES:
        using = f" USING ({seen})" if seen else ""
        check = f" WITH CHECK ({written})" if written else ""
        op.execute(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO {roles}{using}{check}"
        )
    for table in WATCHED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(FIXED_PATHS)


def downgrade() -> None:
    for table in WATCHED:
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table, name, *_ in POLICIES:
        op.execute(f"DROP POLICY {table}_{name} ON {table}")
    op.execute("DROP FUNCTION matters_reported, cases_nearby, case_tracked, case_in_scope")
    op.execute(
        "DROP FUNCTION scope_may, scope_photos, scope_case, scope_actor, scope_department,"
        " scope_areas"
    )
