"""The frame that all pages of the data desk share."""

from __future__ import annotations

from typing import Any

from flask import g, render_template

from app import faces, workplaces
from app.command import page_data
from app.i18n import translated
from grids.area_tree import AreaNode, area_node, areas_under
from grids.scope import may_see

GROUP = "data.title"
#: Digits of county, town and community.
LEVELS = (6, 9, 12)


def page(template: str, **values: Any) -> str:
    """Render a page of the data desk inside its frame; what a script needs is `page_data`."""
    menu = workplaces.group_of(GROUP, g.actor)
    return render_template(
        f"data/{template}.html",
        menu=menu,
        waiting=workplaces.waiting_on(menu, g.session, g.actor),
        by_language=faces.by_language,
        moment=faces.instant_words,
        day_words=faces.day_words,
        source_words=source_words,
        page_data={**page_data(), **values.pop("page_data", {})},
        **values,
    )


def own_area(asked: str) -> str:
    """Return the area that was asked for, else the one that holds all the caller answers for."""
    if asked:
        return asked
    roots = areas_under(g.session, g.actor, "")
    return roots[0].code if len(roots) == 1 else ""


def path_of(area: str) -> list[AreaNode]:
    """Return the areas above one that the caller answers for, the largest first."""
    nodes = [area_node(g.session, area[:digits]) for digits in LEVELS if digits < len(area)]
    return [node for node in nodes if node and may_see(g.actor, node.code)]


def source_words(source: str) -> str:
    """Name where an entry comes from, in the reader's language."""
    return translated(f"data.source.{source.partition(':')[0]}", source)
