"""Keep births, deaths and moves of residents as dated events; a resident's state follows them.

Revision ID: 0069
"""

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"

# Whoever sees the resident sees what happened to the resident.
OF_A_SEEN_PERSON = "EXISTS (SELECT FROM person AS p WHERE p.id = person_id)"
MINE = f"""(
  recorded_by = (SELECT scope_actor()) AND withdrawn_at IS NULL AND {OF_A_SEEN_PERSON}
)"""
POLICIES = (
    ("scope", "SELECT", "wangge_app", OF_A_SEEN_PERSON, None),
    ("recorded", "INSERT", "wangge_app", None, MINE),
    ("everything", "ALL", "wangge_worker", "true", "true"),
)

# What the events of a resident add up to on a day; no row for whom nothing was recorded. The
# first event that was ever recorded knows what held before it: only the last one that stands
# is taken back, so each `from_` is what the events before it add up to.
STATE = """
CREATE FUNCTION person_state(wanted bigint, day date DEFAULT 'infinity')
RETURNS TABLE (household_id bigint, since date, until date, relation text)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = public, pg_temp AS $body$
  SELECT
    CASE WHEN last.id IS NULL THEN coalesce(first.from_household_id, first.to_household_id)
         ELSE coalesce(last.to_household_id, last.from_household_id) END,
    CASE WHEN last.id IS NULL THEN coalesce(first.from_since, first.occurred_on)
         WHEN last.kind IN ('death', 'move_out') THEN last.from_since
         ELSE last.occurred_on END,
    CASE WHEN last.id IS NULL AND first.from_household_id IS NULL THEN first.occurred_on
         WHEN last.id IS NULL THEN first.from_until
         WHEN last.kind IN ('death', 'move_out') THEN last.occurred_on END,
    CASE WHEN last.id IS NULL THEN coalesce(first.from_relation, first.to_relation)
         ELSE coalesce(last.to_relation, last.from_relation) END
  FROM (SELECT * FROM person_event WHERE person_id = wanted ORDER BY id LIMIT 1) AS first
  LEFT JOIN LATERAL (
    SELECT * FROM person_event
    WHERE person_id = wanted AND withdrawn_at IS NULL AND occurred_on <= day
    ORDER BY occurred_on DESC, id DESC LIMIT 1
  ) AS last ON true
$body$;
"""

# These run with their owner's rights: who moves a resident out of the own areas sees neither
# the household there nor, afterwards, the resident. Each asks first whether the caller sees
# the resident.
DOORS = """
CREATE FUNCTION person_in_scope(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT scope_may('person') AND scope_department() IS NULL AND EXISTS (
    SELECT FROM person WHERE id = wanted AND area_code ^@ ANY (scope_areas())
  )
$body$;

-- The households that the events of a resident name, wherever they lie.
CREATE FUNCTION homes_of_person(wanted bigint)
RETURNS TABLE (household_id bigint, dwelling_id bigint, kind text, area_code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT h.id, h.dwelling_id, h.kind, h.area_code FROM household AS h
  WHERE person_in_scope(wanted) AND h.id IN (
    SELECT household_id FROM person WHERE id = wanted
    UNION SELECT from_household_id FROM person_event WHERE person_id = wanted
    UNION SELECT to_household_id FROM person_event WHERE person_id = wanted
  )
$body$;

-- The household that a resident joins in a dwelling, or a new one there.
CREATE FUNCTION household_for(wanted bigint, dwelling bigint, sort text, joins boolean)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  found bigint;
BEGIN
  IF NOT coalesce(person_in_scope(wanted), false) THEN
    RAISE insufficient_privilege USING MESSAGE = 'no such person, or outside the areas';
  END IF;
  IF joins THEN
    SELECT h.id INTO found FROM household AS h
    WHERE h.dwelling_id = dwelling AND h.ended_on IS NULL ORDER BY h.id LIMIT 1;
  END IF;
  IF found IS NULL THEN
    INSERT INTO household (dwelling_id, kind, cell_id, grid_id, area_code)
    SELECT d.id, sort, b.cell_id, b.grid_id, b.area_code
    FROM dwelling AS d JOIN building AS b ON b.id = d.building_id
    WHERE d.id = dwelling AND b.valid_to IS NULL
    RETURNING id INTO found;
  END IF;
  RETURN found;
END $body$;

-- The web role adds no resident: a child comes in where the parent lives, and nowhere else.
CREATE FUNCTION child_of_person(
  parent bigint, key bigint, day date, band text, name bytea, digest bytea, birth bytea
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
BEGIN
  IF NOT coalesce(person_in_scope(parent), false) THEN
    RAISE insufficient_privilege USING MESSAGE = 'no such person, or outside the areas';
  END IF;
  INSERT INTO person (id, household_id, name_sealed, name_index, birth_sealed, age_band, relation,
    residency, cell_id, grid_id, area_code, moved_in_on)
  SELECT key, household_id, name, digest, birth, band, 'child', residency, cell_id, grid_id,
    area_code, day
  FROM person WHERE id = parent;
END $body$;

CREATE FUNCTION fold_person(wanted bigint, digest bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  was bigint;
  becomes record;
BEGIN
  IF NOT coalesce(person_in_scope(wanted), false) THEN
    RAISE insufficient_privilege USING MESSAGE = 'no such person, or outside the areas';
  END IF;
  SELECT household_id INTO was FROM person WHERE id = wanted FOR UPDATE;
  SELECT s.*, h.cell_id, h.grid_id, h.area_code INTO STRICT becomes
  FROM person_state(wanted) AS s JOIN household AS h ON h.id = s.household_id;
  UPDATE person SET
    household_id = becomes.household_id, cell_id = becomes.cell_id, grid_id = becomes.grid_id,
    area_code = becomes.area_code, moved_in_on = becomes.since, moved_out_on = becomes.until,
    relation = becomes.relation, name_index = digest
  WHERE id = wanted;
  -- A household ends with the last who leaves it, and lives again when that is taken back.
  UPDATE household AS h SET ended_on = CASE
    WHEN NOT EXISTS (SELECT FROM person AS p WHERE p.household_id = h.id AND p.moved_out_on IS NULL)
    THEN coalesce(h.ended_on, (
      SELECT occurred_on FROM person_event WHERE person_id = wanted ORDER BY id DESC LIMIT 1
    )) END
  WHERE h.id IN (was, becomes.household_id);
END $body$;

CREATE FUNCTION take_back_person_event(wanted bigint, at timestamptz, digest bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  whose bigint;
BEGIN
  SELECT person_id INTO whose FROM person_event AS e
  WHERE e.id = wanted AND e.withdrawn_at IS NULL AND person_in_scope(e.person_id)
    AND NOT EXISTS (
      SELECT FROM person_event AS later
      WHERE later.person_id = e.person_id AND later.withdrawn_at IS NULL
        AND (later.occurred_on, later.id) > (e.occurred_on, e.id)
    );
  IF whose IS NULL THEN
    RAISE insufficient_privilege USING MESSAGE = 'no event that can be taken back';
  END IF;
  UPDATE person_event SET withdrawn_at = at, withdrawn_by = scope_actor() WHERE id = wanted;
  PERFORM fold_person(whose, digest);
END $body$;

-- Who is made nameless on request keeps the place where they live now, and no history.
CREATE FUNCTION forget_person_events(wanted bigint) RETURNS SETOF bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  DELETE FROM person_event AS e
  WHERE e.person_id = wanted AND scope_may('subject') AND person_in_scope(wanted) RETURNING e.id
$body$;

REVOKE ALL ON FUNCTION person_in_scope, homes_of_person, household_for, child_of_person, fold_person,
  take_back_person_event, forget_person_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_in_scope, homes_of_person, household_for, child_of_person, fold_person,
  take_back_person_event, forget_person_events TO wangge_app;
"""


def upgrade() -> None:
    op.add_column("household", sa.Column("ended_on", sa.Date(), nullable=True))
    op.create_table(
        "person_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("from_household_id", sa.BigInteger(), nullable=True),
        sa.Column("from_since", sa.Date(), nullable=True),
        sa.Column("from_until", sa.Date(), nullable=True),
        sa.Column("from_relation", sa.Text(), nullable=True),
        sa.Column("to_household_id", sa.BigInteger(), nullable=True),
        sa.Column("to_relation", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("person_event_pkey")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("person_event_person_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["account.id"], name=op.f("person_event_recorded_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["account.id"], name=op.f("person_event_withdrawn_by_fkey")
        ),
        sa.CheckConstraint(
            "kind IN ('birth', 'move_in', 'move', 'move_out', 'death')",
            name=op.f("person_event_kind_check"),
        ),
        sa.CheckConstraint(
            "(to_household_id IS NULL) = (kind IN ('move_out', 'death'))",
            name=op.f("person_event_goes_to_check"),
        ),
        sa.CheckConstraint(
            "kind IN ('birth', 'move_in') OR from_household_id IS NOT NULL",
            name=op.f("person_event_comes_from_check"),
        ),
    )  # fmt: skip
    op.create_index("person_event_person_id_idx", "person_event", ["person_id", "occurred_on"])
    op.execute(STATE)
    op.execute(DOORS)
    for name, command, roles, seen, written in POLICIES:
        using = f" USING ({seen})" if seen else ""
        check = f" WITH CHECK ({written})" if written else ""
        op.execute(
            f"CREATE POLICY person_event_{name} ON person_event FOR {command} TO {roles}"
            f"{using}{check}"
        )
    op.execute("ALTER TABLE person_event ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute(
        "DROP FUNCTION forget_person_events, take_back_person_event, fold_person, child_of_person, household_for, homes_of_person,"
        " person_in_scope, person_state"
    )
    op.drop_table("person_event")
    op.drop_column("household", "ended_on")
