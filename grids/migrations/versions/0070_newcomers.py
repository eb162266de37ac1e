"""Enter somebody whom the register does not know into a dwelling of the caller's areas.

Revision ID: 0070
"""

from alembic import op

revision = "0070"
down_revision = "0069"

# These run with their owner's rights: a number is known or not in the whole city, and the web
# role adds no resident by itself. Each asks first whether the caller may record events.
DOORS = """
CREATE FUNCTION may_enter_residents() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = public, pg_temp AS $body$
  SELECT coalesce(
    scope_may('person') AND scope_may('subject') AND scope_department() IS NULL, false
  )
$body$;

-- Whether a number is registered: a row where it is, with the resident's id in the caller's
-- areas alone. Whoever asks next for the same number waits until this transaction has ended, so
-- that of two who enter it at once one finds what the other entered.
CREATE FUNCTION known_number(digests bytea[]) RETURNS TABLE (person_id bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  one bytea;
BEGIN
  IF NOT may_enter_residents() THEN
    RAISE insufficient_privilege USING MESSAGE = 'not for this caller';
  END IF;
  FOR one IN SELECT d FROM unnest(digests) AS d ORDER BY d LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended(encode(one, 'hex'), 70));
  END LOOP;
  RETURN QUERY
    SELECT CASE WHEN p.area_code ^@ ANY (scope_areas()) THEN p.id END
    FROM person AS p WHERE p.id_number_index = ANY (digests)
    ORDER BY p.moved_out_on IS NULL DESC, p.area_code ^@ ANY (scope_areas()) DESC, p.id LIMIT 1;
END $body$;

-- A newcomer, with the household that lives in the dwelling or in a new one; returns it.
CREATE FUNCTION enter_newcomer(
  key bigint, home bigint, joins boolean, sort text, day date, band text, residence text,
  relative text, name bytea, name_digest bytea, number bytea, number_digest bytea,
  call bytea, call_digest bytea, birth bytea
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  found bigint;
BEGIN
  IF NOT may_enter_residents() OR NOT EXISTS (
    SELECT FROM dwelling AS d JOIN building AS b ON b.id = d.building_id
    WHERE d.id = home AND b.valid_to IS NULL AND b.area_code ^@ ANY (scope_areas())
  ) THEN
    RAISE insufficient_privilege USING MESSAGE = 'no such dwelling, or outside the areas';
  END IF;
  IF joins THEN
    SELECT h.id INTO STRICT found FROM household AS h
    WHERE h.dwelling_id = home AND h.ended_on IS NULL AND h.area_code ^@ ANY (scope_areas())
    ORDER BY h.id LIMIT 1;
  ELSE
    INSERT INTO household (dwelling_id, kind, cell_id, grid_id, area_code)
    SELECT d.id, sort, b.cell_id, b.grid_id, b.area_code
    FROM dwelling AS d JOIN building AS b ON b.id = d.building_id WHERE d.id = home
    RETURNING id INTO found;
  END IF;
  INSERT INTO person (id, household_id, name_sealed, name_index, id_number_sealed,
    id_number_index, phone_sealed, phone_index, birth_sealed, age_band, relation, residency,
    cell_id, grid_id, area_code, moved_in_on)
  SELECT key, h.id, name, name_digest, number, number_digest, call, call_digest, birth, band,
    relative, residence, h.cell_id, h.grid_id, h.area_code, day
  FROM household AS h WHERE h.id = found;
  RETURN found;
END $body$;

REVOKE ALL ON FUNCTION may_enter_residents, known_number, enter_newcomer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_enter_residents, known_number, enter_newcomer TO wangge_app;
"""


def upgrade() -> None:
    op.execute(DOORS)


def downgrade() -> None:
    op.execute("DROP FUNCTION enter_newcomer, known_number, may_enter_residents")
