"""What the desk's addresses take: a filter of the queue from parameters, ids from a body."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, g, request

from app.incidents_api import BadNumber
from gis.bbox import parse_bbox
from grids.city import the_city
from grids.incidents.listing import MOST_ROWS, Filter

bp = Blueprint("desk_api", __name__)

TOWN_DIGITS = 9
CATEGORY_DIGITS = 5
USUAL_ROWS = 50
LONGEST_WORDS = 100


def now() -> datetime:
    """Return the server's time, which rules every clock."""
    return datetime.now(UTC)


def filter_asked() -> Filter:
    """Read the filter of the queue. Without a state it is the open cases; `status=all` is all.

    Whole towns and whole sub-classes are choices of their facets; other codes narrow all
    facets. Raises `BadNumber`, `BadFilter` and `GisError`.
    """
    args = request.args
    areas, categories = words("area") + words("town"), words("category")
    towns = tuple(code for code in areas if len(code) == TOWN_DIGITS)
    whole = tuple(code for code in categories if len(code) == CATEGORY_DIGITS)
    statuses = words("status")
    if statuses == ("all",):
        statuses = ()
    elif not statuses and not words("stage"):
        statuses = ("open",)
    bbox = args.get("bbox")
    return Filter(
        statuses=statuses,
        stages=words("stage"),
        risks=words("risk"),
        channels=words("channel"),
        urgencies=words("urgency"),
        departments=words("department"),
        towns=towns if len(towns) == len(areas) else (),
        categories=whole if len(whole) == len(categories) else (),
        area="" if len(towns) == len(areas) else areas[0][:15],
        category="" if len(whole) == len(categories) else categories[0][:CATEGORY_DIGITS],
        grid=args.get("grid", "")[:15],
        flag=args.get("flag", "")[:40],
        holder=_holder(args.get("holder", "")),
        text=args.get("q", "").strip()[:LONGEST_WORDS],
        since=_instant("from"),
        until=_instant("to"),
        is_mine=args.get("mine") in ("1", "true"),
        bbox=parse_bbox(bbox).bounds if bbox else None,
        sort=args.get("sort") or "risk",
        after=args.get("after") or None,
        limit=_limit(),
    )


def words(name: str) -> tuple[str, ...]:
    """Read a parameter that lists words with commas, or stands several times."""
    parts = (part.strip() for value in request.args.getlist(name) for part in value.split(","))
    return tuple(filter(None, parts))


def _limit() -> int:
    text = request.args.get("limit") or str(USUAL_ROWS)
    if not text.isdecimal() or len(text) > 6:
        raise BadNumber(f"limit is {text[:20]!r}, needs a number", field="limit")
    return max(1, min(int(text), MOST_ROWS))


def _holder(text: str) -> int | None:
    if not text:
        return None
    if text == "me":
        return int(g.actor.account_id)
    if not text.isdecimal() or len(text) > 18:
        raise BadNumber(f"holder is {text[:20]!r}, needs an account or `me`", field="holder")
    return int(text)


def _instant(name: str) -> datetime | None:
    """Read a day of the city (from its midnight on) or an instant with an offset."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadNumber(f"{name} is {text[:30]!r}, needs a day", field=name) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(the_city(g.session).city_zone))
    return at.astimezone(UTC)
