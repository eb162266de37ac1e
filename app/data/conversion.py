"""Conversion of codes on the data desk: how far each registrar has come, what waits, what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data.frame import page
from gis.errors import UnsafeArchive
from grids import conversion
from grids.conversion import lists
from grids.layers.access import checked_area

bp = Blueprint("conversion", __name__)

LONGEST = 40
TAKEN = ("converted", "mended", "same")


@bp.get("/data/conversion")
@requires("enterprise:view")
def home() -> ResponseReturnValue:
    """Show the shares of all registrars and the pairs that were asked for."""
    return _page()


@bp.post("/data/conversion/<int:pair_id>")
@requires("data:decide")
def convert(pair_id: int) -> ResponseReturnValue:
    """Enter or put right the credit code of one pair."""
    code = request.form.get("uscc", "")[:LONGEST]
    zone = ZoneInfo(faces.settings().city_zone)
    try:
        with g.session.begin():
            row = conversion.convert(
                g.session, g.actor, pair_id, code, on=datetime.now(zone).date(),
                source_ip=source_ip(),
            )  # fmt: skip
            number = row.old_number
    except (conversion.BadCode, conversion.OtherCode) as refused:
        status = 422 if isinstance(refused, conversion.BadCode) else 409
        return _page(refused=refused, pair_id=pair_id, typed=code), status
    return redirect(url_for("conversion.home", q=number, done="converted"), 303)


@bp.post("/data/conversion/lists")
@requires("data:decide")
def load() -> ResponseReturnValue:
    """Take a list of a registrar over, whole or not at all; a refusal names rows and reasons."""
    zone = ZoneInfo(faces.settings().city_zone)
    sent = request.files.get("list")
    data = sent.stream.read(lists.MOST_BYTES + 1) if sent else b""
    registrar = request.form.get("registrar", "")
    try:
        with g.session.begin():
            taken = conversion.load(
                g.session, g.actor, data, registrar, on=datetime.now(zone).date(),
                source_ip=source_ip(),
            )  # fmt: skip
    except (conversion.RefusedList, UnsafeArchive) as refused:
        return _page(list_refused=refused, sent_by=registrar), 422
    told = f"{taken.converted}.{taken.mended}.{taken.same}"
    return redirect(url_for("conversion.home", registrar=registrar, taken=told), 303)


def _taken(told: str) -> conversion.Taken | None:
    """Read what a list has done from the address that it led to."""
    counts = told.split(".")
    if len(counts) != len(TAKEN) or not all(part.isdecimal() for part in counts):
        return None
    return conversion.Taken(*(int(part[:9]) for part in counts))


def _refusals(refused: conversion.RefusedList | UnsafeArchive | None) -> list[tuple[int, str, str]]:
    """Word what is wrong with a list: row, column, reason."""
    if refused is None:
        return []
    if not isinstance(refused, conversion.RefusedList):
        return [(0, "", faces.message_of(refused))]
    return [
        (one.row, str(_(f"conversion.column.{one.column}")) if one.column else "",
         str(_(f"conversion.refused.{one.reason}")))
        for one in refused.refusals
    ]  # fmt: skip


def _page(
    refused: Any = None, pair_id: int = 0, typed: str = "", *,
    list_refused: conversion.RefusedList | UnsafeArchive | None = None, sent_by: str = "",
) -> str:  # fmt: skip
    asked = request.args
    area = checked_area(asked.get("area", ""))
    number = asked.get("q", "")[:LONGEST]
    chosen = {
        "registrar": asked.get("registrar", ""),
        "state": asked.get("state", "") if asked.get("state") in conversion.STATES else "",
    }
    with g.session.begin():
        pairs, after = conversion.listed(
            g.session, g.actor, area=area, number=number, **chosen,
            after=pair_id - 1 if pair_id else max(0, asked.get("after", 0, type=int)),
        )  # fmt: skip
        return page(
            "conversion", shares=conversion.shares(g.session, g.actor, area), pairs=pairs,
            after=after, area=area, q=number, **chosen, states=conversion.STATES,
            registrars=tuple(conversion.REGISTRARS), typed=typed, pair_id=pair_id,
            refused_words=str(_(f"error.{refused.code}")) if refused else "",
            taken=_taken(asked.get("taken", "")), refusals=_refusals(list_refused),
            refused_total=getattr(list_refused, "total", 1), sent_by=sent_by,
            done=asked.get("done") == "converted", now=datetime.now(UTC),
        )  # fmt: skip
