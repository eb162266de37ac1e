"""Let a resident's request reach the contacts that the resident left anywhere in the county.

The second wall shows the registrar the reporters of the own areas only; a resident may have
reported elsewhere. Both doors answer who knows the keyed digest of a phone, and nobody else.

Revision ID: 0025
"""

from alembic import op

revision = "0025"
down_revision = "0024"

DOORS = """
CREATE FUNCTION contacts_of_phone(indexes bytea[]) RETURNS TABLE (id uuid, incident_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT r.id, r.incident_id FROM incident_reporter AS r
  WHERE r.phone_index = ANY (indexes) AND scope_may('person')
  ORDER BY r.created_at LIMIT 1000
$body$;

CREATE FUNCTION forget_contacts_of_phone(indexes bytea[]) RETURNS SETOF uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  DELETE FROM incident_reporter AS r
  WHERE r.phone_index = ANY (indexes) AND scope_may('person') RETURNING r.id
$body$;

REVOKE ALL ON FUNCTION contacts_of_phone, forget_contacts_of_phone FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts_of_phone, forget_contacts_of_phone TO wangge_app;
"""


def upgrade() -> None:
    op.execute(DOORS)
    op.execute("CREATE INDEX incident_reporter_phone_index_idx ON incident_reporter (phone_index)")


def downgrade() -> None:
    op.execute("DROP INDEX incident_reporter_phone_index_idx")
    op.execute("DROP FUNCTION forget_contacts_of_phone, contacts_of_phone")
