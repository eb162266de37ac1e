"""The commands that make the first accounts: nobody can sign in before (S01)."""

import re
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.cli import main
from app.config import Settings
from grids import accounts
from tests.support.database import environment_for


@pytest.fixture
def env(empty_database, tmp_path):
    return environment_for(empty_database, tmp_path)


@pytest.fixture
def run(env):
    return lambda *words: CliRunner().invoke(main, words, env=env)


@pytest.fixture
def kept(env):
    url = Settings.load(env).owner_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    with Session(engine) as session:
        yield session
    engine.dispose()


def first(run):
    return run("account", "first", "--system", "he", "--security", "lu", "--audit", "jin")


def test_the_first_three_get_one_time_passwords_and_only_once(run, kept):
    now = datetime.now(UTC)

    made, again = first(run), first(run)

    drawn = dict(re.findall(r"^(\w+) +\w+ +(\S+)$", made.stdout, re.MULTILINE))
    assert set(drawn) == {"system_admin", "security_admin", "audit_admin"}, made.stderr
    assert len(set(drawn.values())) == 3
    assert again.exit_code == 1
    rows = accounts.list_accounts(kept, now=now)
    assert [(row.login, row.roles, row.must_change) for row in rows] == [
        ("he", ("system_admin",), True),
        ("jin", ("audit_admin",), True),
        ("lu", ("security_admin",), True),
    ]
    token = accounts.sign_in(
        kept, "he", drawn["system_admin"], now=datetime.now(UTC), source_ip="127.0.0.1"
    )
    found = accounts.signed_in(kept, token, datetime.now(UTC), with_unfinished=True)
    assert found.unfinished == "password"


def test_a_weak_password_makes_no_account(run, kept):
    words = ("account", "create", "lin", "--name", "林", "--role", "dispatcher", "--area", "339901")

    weak = run(*words, "--password", "Password1234")
    drawn = run(*words, "--one-time")

    assert weak.exit_code == 1
    assert "one-time password" in drawn.stdout
    assert [row.login for row in accounts.list_accounts(kept, now=datetime.now(UTC))] == ["lin"]


def test_a_reset_on_the_server_lets_somebody_in_again(run, kept):
    first(run)
    row = accounts.list_accounts(kept, "he", now=datetime.now(UTC))[0]
    kept.get(accounts.Account, row.id).is_active = False
    kept.commit()

    done = run("account", "reset", "he")

    password = done.stdout.split()[-1]
    now = datetime.now(UTC)
    kept.expire_all()
    assert accounts.sign_in(kept, "he", password, now=now, source_ip="127.0.0.1") is not None
    assert run("account", "reset", "nobody").exit_code == 1
