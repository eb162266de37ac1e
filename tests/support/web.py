"""The web application in the test's own transaction, and signing in to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers

from app import create_app
from app.config import Settings

PASSWORD = "correct horse battery staple"
#: Role that requests run as, with the rights that it has in an installation.
APP_ROLE = "wangge_app"
FORGET = "SELECT " + ", ".join(
    f"set_config('wangge.{name}', '', true)"
    for name in ("areas", "department", "actor", "may", "case", "photos", "link")
)


class AsAppRole:
    """Runs each request with the rights of the app role on the test's connection."""

    def __init__(self, application: Any, connection: Connection) -> None:
        self.application = application
        self.connection = connection

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        # The transaction of the test outlives a request's: what the last one said is unsaid.
        self.connection.execute(text(FORGET))
        self.connection.execute(text(f"SET ROLE {APP_ROLE}"))
        try:
            answer = self.application(environ, start_response)
            try:
                # Read to the end here: a streamed export needs the role too.
                return list(answer)
            finally:
                getattr(answer, "close", lambda: None)()
        finally:
            self.connection.execute(text("RESET ROLE"))


class Client(FlaskClient):
    """A browser's requests: unsafe ones carry the token of the session."""

    csrf_token = ""
    account_id = 0

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if self.csrf_token and kwargs.get("method", "GET") not in ("GET", "HEAD"):
            headers = Headers(kwargs.pop("headers", None))
            headers.setdefault("X-CSRF-Token", self.csrf_token)
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)


@pytest.fixture(scope="session")
def web_application(settings: Settings) -> Iterator[Flask]:
    """The application of this process; made once, for its routes do not change."""
    made = create_app(settings)
    made.testing = True
    made.test_client_class = Client
    yield made
    made.extensions["engine"].dispose()


@pytest.fixture
def app(web_application: Flask, connection: Connection) -> Iterator[Flask]:
    """The application, working inside the transaction of the test."""
    inner = web_application.wsgi_app

    def make_session() -> Session:
        return Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)

    web_application.extensions["make_session"] = make_session
    web_application.wsgi_app = AsAppRole(inner, connection)  # type: ignore[method-assign]
    yield web_application
    web_application.wsgi_app = inner  # type: ignore[method-assign]
    web_application.extensions.pop("make_session")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who is not signed in."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask, session: Session, settings: Settings) -> Callable[..., Client]:
    """Make an account with a role and return its signed-in client."""
    from app.auth import cookie_name
    from grids import accounts

    numbers = count(1)

    def make(role: str, area: str = "339901", department: str | None = None) -> Client:
        login = f"test-{role}-{next(numbers)}"
        account = accounts.create_account(session, login=login, name=login, password=PASSWORD)
        accounts.assign(session, account, role, area_code=area, department=department)
        now = datetime.now(UTC)
        token = accounts.sign_in(session, login, PASSWORD, now=now, source_ip="127.0.0.1")
        assert token is not None
        found = accounts.signed_in(session, token, now)
        assert found is not None
        session.flush()
        client = app.test_client()
        assert isinstance(client, Client)
        client.set_cookie(cookie_name(settings), token)
        client.csrf_token = found.csrf_token
        client.account_id = account.id
        return client

    return make
