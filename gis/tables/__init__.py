"""Tables that strangers send, in any format, as blocks of columns of text.

`open_table` looks at a file once: format, encoding, sheet, head and system are guessed where
nobody says them, and told. Then its blocks are read one at a time.
"""

from gis.tables.model import (
    BLOCK_ROWS,
    MOST_COLUMNS,
    MOST_ROWS,
    Block,
    ReadAs,
    Table,
)
from gis.tables.opening import FORMATS, open_table

__all__ = [
    "BLOCK_ROWS",
    "FORMATS",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "Block",
    "ReadAs",
    "Table",
    "open_table",
]
