"""The web application: parses a request, checks a permission, calls one service, renders."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings

#: Modules with a blueprint `bp`, one per face or endpoint family.
BLUEPRINTS = (
    "app.health",
    "app.account",
    "app.factor",
    "app.confirm",
    "app.oidc",
    "app.tiles",
    "app.incidents_api",
    "app.command",
    "app.dispatch",
    "app.worker",
    "app.worker_addresses",
    "app.worker_checks",
    "app.worker_visits",
    "app.worker_new",
    "app.visits_api",
    "app.portal",
    "app.questions",
    "app.intake",
    "app.outside_link",
    "app.desk",
    "app.ledgers",
    "app.disputes",
    "app.hazards",
    "app.flow_api",
    "app.desk_api",
    "app.planner",
    "app.exporting",
    "app.people",
    "app.people_arrive",
    "app.people_life",
    "app.subject_requests",
    "app.counts",
    "app.data.home",
    "app.data.quality",
    "app.data.duplicates",
    "app.data.libraries",
    "app.data.base",
    "app.data.conversion",
    "app.data.sites",
    "app.data.corrections",
    "app.data.entering",
    "app.data.entries",
    "app.data.grids",
    "app.data.grid_plans",
    "app.data.addresses",
    "app.data.forms",
    "app.data.questions",
    "app.data.burden",
    "app.data.imports",
    "app.data.import_databases",
    "app.openapi",
    "app.admin",
    "app.linking",
    "app.channels_api",
    "app.channel_pages",
    "app.letters",
    "app.sent",
    "app.responsibility",
    "app.responsibility_quarrels",
    "app.samples",
    "app.workplaces",
)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the web application from its settings, by default those of the environment."""
    # Imported here: the command line lives in this package too and must not wait for Flask.
    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app import (
        assets,
        auth,
        budget,
        db,
        errors,
        i18n,
        keys,
        logs,
        oidc,
        print_mark,
        security,
        wrong_codes,
    )
    from app.assets import DIST, YEAR_S
    from app.config import Settings
    from app.databases import databases_from
    from app.outgoing import doors_from

    settings = settings or Settings.load()
    logs.configure()
    app = Flask("app", static_folder=str(DIST), static_url_path="/assets")
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=512 * 1024,
        MAX_FORM_PARTS=40,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR_S,  # built files carry their hash in the name
    )
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_port=0, x_prefix=0
        )
    app.extensions["vault"] = keys.vault_of(settings)
    app.extensions["signer"] = keys.signer_of(settings)
    app.extensions["doors"] = doors_from(settings.outgoing)
    app.extensions["databases"] = databases_from(settings.import_hosts)
    db.init_app(app, settings)
    auth.init_app(app, settings)
    security.init_app(app, settings)
    budget.init_app(app, settings)
    wrong_codes.init_app(app)
    print_mark.init_app(app)
    i18n.init_app(app, settings.city_zone)
    assets.init_app(app)
    errors.init_app(app)
    oidc.init_app(app, settings)
    for name in filter(importlib.util.find_spec, BLUEPRINTS):
        app.register_blueprint(importlib.import_module(name).bp)
    return app
