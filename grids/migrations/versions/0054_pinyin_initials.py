"""Enterprises and addresses answer to the initials of their pinyin: hzwlmm finds 河滩物流贸易.

Revision ID: 0054
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pypinyin import Style, lazy_pinyin

revision = "0054"
down_revision = "0053"

FIRST, LAST = 0x4E00, 0x9FA5
COLUMNS = (("address", "text"), ("enterprise", "name"))


def letters() -> str:
    """Return a letter for each sign from U+4E00 to U+9FA5, that of its commonest reading."""
    found = (lazy_pinyin(chr(n), style=Style.FIRST_LETTER)[0] for n in range(FIRST, LAST + 1))
    return "".join(letter if letter.isascii() and letter.isalpha() else "?" for letter in found)


# One byte of a constant for each sign: a table of 20,902 rows would make the function STABLE,
# which no index takes.
INITIALS = """
CREATE FUNCTION pinyin_initials(words text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 4000 SET search_path = public, pg_temp AS $body$
DECLARE
  letters constant bytea := '{letters}';
  found text := '';
  sign text;
  at int;
BEGIN
  FOREACH sign IN ARRAY string_to_array(lower(words), NULL) LOOP
    at := ascii(sign) - {first};
    IF at BETWEEN 0 AND {span} THEN
      found := found || chr(get_byte(letters, at));
    ELSIF sign BETWEEN '0' AND '9' OR sign BETWEEN 'a' AND 'z' THEN
      found := found || sign;
    END IF;
  END LOOP;
  RETURN found;
END $body$;
"""


def upgrade() -> None:
    op.execute(
        sa.text(
            INITIALS.format(letters=letters(), first=FIRST, span=LAST - FIRST).replace(":=", r"\:=")
        )
    )
    for table, column in COLUMNS:
        op.create_index(
            f"{table}_initials_idx", table, [sa.text(f"text_pairs(pinyin_initials({column}))")],
            postgresql_using="gin",
        )  # fmt: skip


def downgrade() -> None:
    for table, _ in reversed(COLUMNS):
        op.drop_index(f"{table}_initials_idx", table_name=table)
    op.execute("DROP FUNCTION pinyin_initials(text)")
