"""What the engine refuses, each kind with a code that clients may branch on.

Messages name the thing and the limit in English; a face translates by the code and
fills the same parameters into its own sentence.
"""

from __future__ import annotations

from typing import ClassVar


class GisError(ValueError):
    """Something about a geometry, a coordinate or a request for one is not acceptable.

    Parameters
    ----------
    code : str
        Stable word such as ``gis.swapped``.
    message : str
        One English sentence for logs and for clients without a translation.
    **params
        The values that the sentence names, for translations.

    Examples
    --------
    >>> error = GisError("gis.out_of_range", "longitude 500 is beyond 180", value=500)
    >>> error.code, error.params
    ('gis.out_of_range', {'value': 500})
    """

    def __init__(self, code: str, message: str, **params: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.params = params


class _Kind(GisError):
    """A refusal whose code belongs to its class."""

    CODE: ClassVar[str]

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(self.CODE, message, **params)


class NotFinite(_Kind):
    """A coordinate is NaN, infinite or not a number at all."""

    CODE = "gis.not_finite"


class OutOfRange(_Kind):
    """A coordinate lies outside the allowed envelope."""

    CODE = "gis.out_of_range"


class SwappedCoordinates(_Kind):
    """Longitude and latitude look exchanged: the other order would lie inside."""

    CODE = "gis.swapped"


class NullIsland(_Kind):
    """The place is (0, 0): what a device sends when it does not know where it is."""

    CODE = "gis.null_island"


class ShiftedCoordinates(_Kind):
    """The places look like GCJ-02 or BD-09 declared as WGS 84 or CGCS2000."""

    CODE = "gis.shifted"


class TooDeep(_Kind):
    """A document nests deeper than any honest geometry does."""

    CODE = "gis.too_deep"


class TooManyVertices(_Kind):
    """A geometry has more vertices than the front door lets through."""

    CODE = "gis.too_many_vertices"


class TooLarge(_Kind):
    """A document or file is larger than the front door lets through."""

    CODE = "gis.too_large"


class NotJson(_Kind):
    """A text is not a JSON document."""

    CODE = "gis.not_json"


class InvalidGeometry(_Kind):
    """A geometry is malformed, of a kind not asked for, or not valid."""

    CODE = "gis.invalid_geometry"


class BadBbox(_Kind):
    """A bounding box is malformed."""

    CODE = "gis.bad_bbox"


class BadTile(_Kind):
    """A tile address lies outside its matrix."""

    CODE = "gis.bad_tile"


class UnknownCrs(_Kind):
    """A coordinate reference system is unknown or not usable on a map."""

    CODE = "gis.unknown_crs"


class UnknownFormat(_Kind):
    """A file is in no format that can be read or written here."""

    CODE = "gis.unknown_format"


class UnsafeArchive(_Kind):
    """An archive or workbook is damaged, or built to hold whoever unpacks it."""

    CODE = "gis.unsafe_archive"


class UnreadableTable(_Kind):
    """A file holds no table that can be read; `why` says what is wrong, `row` where it is known."""

    CODE = "gis.unreadable_table"


class NoRoute(_Kind):
    """Two places are not connected by the road graph."""

    CODE = "gis.no_route"


KINDS: tuple[type[_Kind], ...] = (
    NotFinite,
    OutOfRange,
    SwappedCoordinates,
    NullIsland,
    ShiftedCoordinates,
    TooDeep,
    TooManyVertices,
    TooLarge,
    NotJson,
    InvalidGeometry,
    BadBbox,
    BadTile,
    UnknownCrs,
    UnknownFormat,
    UnsafeArchive,
    UnreadableTable,
    NoRoute,
)
