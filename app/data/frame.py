"""The frame that all pages of the data desk share."""

from __future__ import annotations

from typing import Any

from flask import g, render_template

from app import faces, workplaces
from app.command import page_data

GROUP = "data.title"


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
        page_data={**page_data(), **values.pop("page_data", {})},
        **values,
    )
