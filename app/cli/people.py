"""Commands on the people who sign in: the first ones, and the ones who are locked out."""

from datetime import UTC, datetime

import click

from app.config import Settings

#: The three whose work is kept apart.
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")


def say_who_is_missing(settings: Settings) -> None:
    """Say what to do where nobody can make accounts yet: there is no account to begin with."""
    from app import installation
    from grids import accounts

    with installation.owner_session(settings) as session:
        has_one = accounts.has_administrator(session, datetime.now(UTC))
    if not has_one:
        click.echo("nobody can make accounts yet; next step: ./wangge account first --help")


@click.group()
def account() -> None:
    """People who sign in."""


@account.command("first")
@click.option("--system", "system", required=True, help="Login of the system administrator.")
@click.option("--security", required=True, help="Login of the security administrator.")
@click.option("--audit", required=True, help="Login of the audit administrator.")
def first(system: str, security: str, audit: str) -> None:
    """Make the three administrators; each gets a one-time password, shown now only."""
    from app import installation
    from grids import accounts
    from grids.city import the_city
    from grids.errors import Conflict, NotFound

    settings = Settings.load()
    installation.start_database(settings)
    now = datetime.now(UTC)
    with installation.owner_session(settings) as session:
        if accounts.has_administrator(session, now):
            raise Conflict("there is a system administrator already: that one makes accounts")
        try:
            county = the_city(session).county_code
        except NotFound:  # the map comes later
            county = settings.county_code
        for role, login in zip(ADMINISTRATORS, (system, security, audit), strict=True):
            made, password = accounts.create(session, login=login, name=login, by=None, now=now)
            accounts.assign(session, made, role, area_code=county)
            click.echo(f"{role:<16}{login:<24}{password}")
    click.echo("Hand them over in person. Each serves once, within 7 days, to choose an own one.")


@account.command("create")
@click.argument("login")
@click.option("--name", required=True, help="The person's name, as others see it.")
@click.option("--role", required=True, help="For example dispatcher; an unknown role is refused.")
@click.option("--area", required=True, help="Code of the area the person answers for.")
@click.option("--department", help="Code of the department, for department staff.")
@click.option("--purpose", default="", help="What the role is given for.")
@click.option("--password", help="Asked for when not given.")
@click.option("--one-time", is_flag=True, help="Draw a password that serves once, and print it.")
def create(
    login: str, name: str, role: str, area: str, department: str | None, purpose: str,
    password: str | None, *, one_time: bool,
) -> None:  # fmt: skip
    """Add a person with one role in one area."""
    from app import installation
    from app.sign_in_policy import policy_from
    from grids import accounts

    settings = Settings.load()
    if not one_time and password is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    installation.start_database(settings)
    drawn = ""
    with installation.owner_session(settings) as session:
        if one_time:
            now = datetime.now(UTC)
            made, drawn = accounts.create(session, login=login, name=name, by=None, now=now)
        else:
            made = accounts.create_account(
                session,
                login=login,
                name=name,
                password=password or "",
                policy=policy_from(settings),
            )
        accounts.assign(session, made, role, area_code=area, department=department, purpose=purpose)
    click.echo(f"{login} may sign in as {role} for {area}")
    if drawn:
        click.echo(f"one-time password, within 7 days: {drawn}")


@account.command("reset")
@click.argument("login")
def reset(login: str) -> None:
    """Let somebody in again: new one-time password, no second factor, not locked.

    For the day when no system administrator can sign in; the audit log says that it was done
    on the server. Sessions and tokens of the account end.
    """
    from app import installation
    from grids import accounts

    settings = Settings.load()
    installation.start_database(settings)
    now = datetime.now(UTC)
    with installation.owner_session(settings) as session:
        found = accounts.list_accounts(session, login, limit=50, now=now)
        one = next((row for row in found if row.login == login), None)
        if one is None:
            raise click.ClickException(f"no account {login}")
        accounts.enable(session, one.id, by=None)
        accounts.reset_second_factor(session, one.id, by=None, now=now)
        password = accounts.reset_password(session, one.id, by=None, now=now)
    click.echo(f"one-time password of {login}, within 7 days: {password}")
