"""The entry point of the web server: `gunicorn app.wsgi:app`."""

import atexit
import gc
import logging

import psycopg

from app import create_app
from app.config import Settings
from app.roles import check_durability

log = logging.getLogger("wangge.wsgi")


def _check_server(settings: Settings) -> None:
    """Refuse to serve on a database that may lose acknowledged reports."""
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5) as conn:
            check_durability(conn, is_override=settings.allow_unsafe_server)
    except psycopg.OperationalError:
        # Down or starting: requests get 503 until it is there, which is better than no answer.
        log.warning("the database does not answer yet; serving without the check")


_settings = Settings.load()
logging.basicConfig(level=_settings.log_level)
_check_server(_settings)
app = create_app(_settings)
# What is loaded stays: looking through half a million objects again and again made one answer in
# some hundreds wait for a quarter of a second.
gc.collect()
gc.freeze()
# At the end it is cleared away like anything else: a library complains of what still stands then.
atexit.register(gc.unfreeze)
