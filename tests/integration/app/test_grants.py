"""Grants, and administrators kept apart in the service and in the database (S19)."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from grids import accounts
from grids.accounts.staff import LastAdministrator, NotOneself
from tests.support.identity import COUNTY, NOW, make


@pytest.fixture
def account(session):
    return make(session, "lin", "intake")


# --- Administrators: kept apart, in the service and in the database -------------------------------------


ADMINS = ("system_admin", "security_admin", "audit_admin")


@pytest.mark.parametrize(
    ("admin_role", "other"),
    [(one, other) for one in ADMINS for other in ("dispatcher", *ADMINS) if one != other],
)
def test_an_administrator_holds_no_other_role(session, admin_role, other):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu", other)

    with pytest.raises(accounts.RoleConflict):
        accounts.grant(session, account.id, admin_role, area_code=COUNTY, by=giver.id, now=NOW)
    with pytest.raises(IntegrityError, match="holds no other role"), session.begin_nested():
        session.execute(
            text("INSERT INTO assignment (account_id, role, area_code) VALUES (:a, :r, '339901')"),
            {"a": account.id, "r": admin_role},
        )


def test_roles_one_after_the_other_do_not_conflict(session):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu")
    first = accounts.grant(
        session, account.id, "dispatcher", area_code=COUNTY, by=giver.id, now=NOW
    )

    accounts.revoke(session, first.id, by=giver.id, now=NOW + timedelta(days=1))
    accounts.grant(
        session, account.id, "audit_admin", area_code=COUNTY, by=giver.id,
        now=NOW + timedelta(days=2),
    )  # fmt: skip

    roles = [row.role for row in accounts.grants_of(session, account.id, now=NOW)]
    assert sorted(roles) == ["audit_admin", "dispatcher"]


def test_nobody_grants_to_themselves(session):
    giver = make(session, "giver", "security_admin")

    with pytest.raises(NotOneself):
        accounts.grant(session, giver.id, "security_admin", area_code=COUNTY, by=giver.id, now=NOW)
    with pytest.raises(IntegrityError, match="not_to_oneself"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO assignment (account_id, role, area_code, granted_by)"
                " VALUES (:a, 'security_admin', '3399', :a)"
            ),
            {"a": giver.id},
        )


def as_app(session, statement, values):
    """Run a statement with the rights of the serving role."""
    with session.begin_nested():
        session.execute(text("SET LOCAL ROLE wangge_app"))
        session.execute(text(statement), values)


@pytest.mark.parametrize("giver_role", [None, "dispatcher", "system_admin", "audit_admin"])
def test_the_serving_role_grants_only_in_the_name_of_a_security_administrator(session, giver_role):
    giver = make(session, "giver", giver_role)
    account = make(session, "wu")

    with pytest.raises(DBAPIError, match="granted by a security administrator"):
        as_app(
            session,
            "INSERT INTO assignment (account_id, role, area_code, granted_by)"
            " VALUES (:a, 'dispatcher', '339901', :by)",
            {"a": account.id, "by": giver.id},
        )


@pytest.mark.parametrize(
    "change_of_grant",
    ["role = 'commander'", "area_code = '33'", "valid_to = NULL", "granted_by = NULL"],
)
def test_the_serving_role_only_shortens_a_grant(session, change_of_grant):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu")
    accounts.grant(
        session, account.id, "dispatcher", area_code=COUNTY, by=giver.id, now=NOW,
        valid_to=NOW + timedelta(days=5),
    )  # fmt: skip

    statement = "UPDATE assignment SET " + change_of_grant + " WHERE account_id = :a"
    with pytest.raises(DBAPIError, match="only ever shortened"):
        as_app(session, statement, {"a": account.id})


def test_a_grant_holds_in_its_time_only(session):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu", "intake")
    accounts.grant(
        session, account.id, "commander", area_code=COUNTY, by=giver.id, now=NOW,
        purpose="flood duty", valid_from=NOW + timedelta(hours=1),
        valid_to=NOW + timedelta(hours=3),
    )  # fmt: skip
    session.refresh(account)

    held = [
        "commander" in accounts.actor_of(account, NOW + timedelta(hours=hours)).roles
        for hours in (0, 1, 2, 3)
    ]

    assert held == [False, True, True, False]
    soon = accounts.expiring_grants(session, now=NOW + timedelta(hours=2))
    assert [(row.role, row.purpose, row.granted_by) for row in soon] == [
        ("commander", "flood duty", "giver")
    ]


def test_what_a_role_allows_it_allows_in_its_own_area(session):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu", "planner")
    accounts.grant(session, account.id, "dispatcher", area_code="339902", by=giver.id, now=NOW)
    session.refresh(account)

    actor = accounts.actor_of(account, NOW)

    assert actor.acting("planner:view").areas == (COUNTY,)
    assert actor.acting("incident:move").areas == ("339902",)
    assert actor.acting("map:view").areas == (COUNTY, "339902")


def test_the_last_administrator_of_a_kind_stays(session):
    first, second = make(session, "one", "security_admin"), make(session, "two", "system_admin")

    with pytest.raises(LastAdministrator):
        accounts.disable(session, first.id, by=second.id, now=NOW)
    make(session, "three", "security_admin")
    accounts.disable(session, first.id, by=second.id, now=NOW)


def test_lists_of_accounts_go_on_where_they_stopped(session):
    for number in range(7):
        make(session, f"person-{number}", "intake")

    first = accounts.list_accounts(session, "person", "", 4, now=NOW)
    rest = accounts.list_accounts(session, "person", first[-1].login, 4, now=NOW)

    assert [row.login[-1] for row in (*first, *rest)] == list("0123456")
    assert first[0].roles == ("intake",)
    assert accounts.list_accounts(session, "100%", now=NOW) == []
