"""Old registration numbers becoming 18-digit credit codes (代码转换), by who registered them."""

from grids.conversion.lists import RefusedList, Taken, load
from grids.conversion.models import REGISTRARS, STATES, CodeConversion, registration_check
from grids.conversion.tracking import (
    BadCode,
    NoConversion,
    OtherCode,
    Share,
    convert,
    listed,
    shares,
)

__all__ = [
    "REGISTRARS",
    "STATES",
    "BadCode",
    "CodeConversion",
    "NoConversion",
    "OtherCode",
    "RefusedList",
    "Share",
    "Taken",
    "convert",
    "listed",
    "load",
    "registration_check",
    "shares",
]
