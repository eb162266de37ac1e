"""The chain of the feed as an aggregate: one statement orders, numbers, hashes and stores.

Revision ID: 0044
"""

from alembic import op

revision = "0044"
down_revision = "0043"

# The twin of `grids.feed.chain.link_hash`: the verifier computes every link with that one.
CHAIN = """
CREATE FUNCTION feed_link(before bytea, first bytea, entry text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $body$
BEGIN
  RETURN sha256(coalesce(before, first) || convert_to(entry, 'UTF8'));
END $body$;
-- Run as a window it gives each row the hash over it and all before; `first` is where it begins.
CREATE AGGREGATE feed_chain(first bytea, entry text) (SFUNC = feed_link, STYPE = bytea);
"""


def upgrade() -> None:
    op.execute(CHAIN)


def downgrade() -> None:
    op.execute("DROP AGGREGATE feed_chain(bytea, text)")
    op.execute("DROP FUNCTION feed_link")
