"""Each rule of the security console fires on its scenario and is silent on the quiet twin."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import signals
from grids.audit import AuditEvent
from grids.errors import GridsError
from grids.signals.models import Alarm, SignalCount
from grids.signals.rules import DENIED, EXPORTS, READS, RULES

#: A Wednesday, 15:00 in the city.
NOON = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)
#: The same day, 23:30 in the city.
NIGHT = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
DESK, OTHER = "10.1.0.7", "10.9.0.4"


@dataclass
class Log:
    """An audit log that a test writes."""

    session: Session
    now: datetime = NOON

    def account(self, name: str = "lin", *, age_days: float = 400) -> int:
        made: int = self.session.execute(
            text(
                "INSERT INTO account (login, name, password_hash, created_at)"
                " VALUES (:name, :name, '!', :at) RETURNING id"
            ),
            {"name": name, "at": self.now - timedelta(days=age_days)},
        ).scalar_one()
        return made

    def note(
        self, action: str, actor: int | None, *, ago_s: float = 60, times: int = 1,
        source: str = DESK, subject: str = "", **detail: Any,
    ) -> None:  # fmt: skip
        for number in range(times):
            self.session.add(
                AuditEvent(
                    at=self.now - timedelta(seconds=ago_s, milliseconds=number),
                    actor_id=actor, action=action, subject=subject,
                    is_success=action not in ("sign_in_failed", *DENIED),
                    source_ip=source, detail=detail,
                )
            )  # fmt: skip
        self.session.flush()

    def raised(self) -> set[tuple[str, str]]:
        signals.watch(self.session, self.now)
        found = self.session.scalars(select(Alarm).where(Alarm.status != "closed"))
        return {(alarm.rule, alarm.subject) for alarm in found}


@pytest.fixture
def log(session: Session) -> Log:
    return Log(session)


def used_yesterday(log: Log, actor: int) -> None:
    log.note("sign_in", actor, ago_s=86_400)


def failures(log: Log, times: int) -> str:
    lin = log.account()
    log.note("sign_in_failed", lin, times=times)
    return f"account:{lin}"


def source_failures(log: Log, times: int) -> str:
    log.note("sign_in_failed", None, times=times, source=OTHER)
    return f"source:{OTHER}"


def spraying(log: Log, times: int) -> str:
    for number in range(times):
        log.note("sign_in_failed", log.account(f"staff-{number}"), source=OTHER)
    return f"source:{OTHER}"


def guessed(log: Log, times: int) -> str:
    lin = log.account()
    used_yesterday(log, lin)
    log.note("sign_in_failed", lin, times=times, ago_s=300)
    log.note("sign_in", lin, ago_s=30)
    return f"account:{lin}"


def two_places(log: Log, places: int) -> str:
    lin = log.account()
    used_yesterday(log, lin)
    log.note("sign_in", lin, ago_s=400)
    log.note("sign_in", lin, ago_s=20, source=OTHER if places > 1 else DESK)
    return f"account:{lin}"


def reads(log: Log, times: int) -> str:
    lin = log.account()
    log.note(READS[0], lin, times=times, ago_s=900)
    return f"account:{lin}"


def night_export(log: Log, times: int) -> str:
    log.now = NIGHT if times else NOON
    lin = log.account()
    log.note(EXPORTS[0], lin)
    return f"account:{lin}"


def exports(log: Log, times: int) -> str:
    lin = log.account()
    log.note(EXPORTS[0], lin, times=times)
    return f"account:{lin}"


def denied(log: Log, times: int) -> str:
    lin = log.account()
    log.note(DENIED[0], lin, times=times)
    return f"account:{lin}"


def sleeper(log: Log, times: int) -> str:
    lin = log.account()
    log.note("sign_in", lin, ago_s=86_400 * (100 if times else 80))
    log.note("sign_in", lin)
    return f"account:{lin}"


def bulk(log: Log, rows: int) -> str:
    lin = log.account()
    log.note("export", lin, times=2, rows=rows // 2)
    return f"account:{lin}"


def locked_often(log: Log, times: int) -> str:
    lin = log.account()
    log.note("account_locked", lin, times=times)
    return f"account:{lin}"


def tokens_refused(log: Log, times: int) -> str:
    log.note("token_refused", None, times=times, source=OTHER)
    return f"source:{OTHER}"


def chain_broken(log: Log, times: int) -> str:
    log.session.execute(
        text(
            "INSERT INTO audit_check (asked_at, ended_at, events, problem)"
            " VALUES (:at, :at, 10, :problem)"
        ),
        {"at": log.now - timedelta(minutes=1), "problem": "changed" if times else ""},
    )
    return "log"


def log_unsealed(log: Log, silent_s: int) -> str:
    log.session.execute(
        text("UPDATE audit_state SET limit_s = 60, seen_at = :at"),
        {"at": log.now - timedelta(seconds=silent_s)},
    )
    return "log"


#: rule -> scenario, how often it fires, how often it stays silent
SCENARIOS: dict[str, tuple[Callable[[Log, int], str], int, int]] = {
    "failures_account": (failures, 10, 9),
    "failures_source": (source_failures, 20, 19),
    "spraying": (spraying, 5, 4),
    "guessed": (guessed, 5, 4),
    "two_places": (two_places, 2, 1),
    "mass_read": (reads, 30, 29),
    "night_export": (night_export, 1, 0),
    "many_exports": (exports, 20, 19),
    "denied_series": (denied, 10, 9),
    "sleeper": (sleeper, 1, 0),
    "bulk_rows": (bulk, 500_000, 499_998),
    "locked_often": (locked_often, 3, 2),
    "tokens_refused": (tokens_refused, 20, 19),
    "chain_broken": (chain_broken, 1, 0),
    "log_unsealed": (log_unsealed, 61, 59),
}


def test_every_rule_has_a_scenario() -> None:
    assert SCENARIOS.keys() == RULES.keys()


@pytest.mark.parametrize("rule", sorted(SCENARIOS))
def test_a_rule_fires_on_its_scenario(log: Log, rule: str) -> None:
    scenario, loud, _ = SCENARIOS[rule]
    subject = scenario(log, loud)

    assert (rule, subject) in log.raised()


@pytest.mark.parametrize("rule", sorted(SCENARIOS))
def test_a_rule_is_silent_on_the_quiet_twin(log: Log, rule: str) -> None:
    scenario, _, quiet = SCENARIOS[rule]
    scenario(log, quiet)

    assert rule not in {found for found, _subject in log.raised()}


#: Silence is no act in a window: it lasts until the sealer is back.
LASTING = {"log_unsealed"}


@pytest.mark.parametrize("rule", sorted(SCENARIOS.keys() - LASTING))
def test_a_rule_forgets_what_lies_outside_its_window(log: Log, rule: str) -> None:
    scenario, loud, _ = SCENARIOS[rule]
    scenario(log, loud)
    log.now += RULES[rule].window + timedelta(hours=1)

    assert rule not in {found for found, _subject in log.raised()}


def test_a_quiet_day_raises_nothing(log: Log) -> None:
    lin, chen = log.account("lin"), log.account("chen")
    for hour in range(8):
        used_yesterday(log, lin)
        log.note("sign_in_failed", chen, ago_s=hour * 3600 + 5, times=2)
        log.note("sign_in", chen, ago_s=hour * 3600)
        log.note(READS[0], lin, ago_s=hour * 3600, times=8)
        log.note("export", lin, ago_s=hour * 3600)

    found = log.raised()

    assert found == set()


def test_a_list_counts_as_many_records_as_it_held(log: Log) -> None:
    lin = log.account()
    log.note(READS[0], lin, count=30)

    assert ("mass_read", f"account:{lin}") in log.raised()


def test_an_alarm_stands_once_and_grows(log: Log) -> None:
    failures(log, 10)
    log.raised()
    lin = log.session.scalars(select(Alarm.account_id)).one()
    log.note("sign_in_failed", lin, times=3, ago_s=5)

    log.raised()

    alarm = log.session.scalars(select(Alarm).execution_options(populate_existing=True)).one()
    assert (alarm.count, alarm.last_at) == (13, NOON - timedelta(seconds=5))


def test_a_closed_alarm_comes_again_only_for_newer_acts(log: Log) -> None:
    subject = failures(log, 10)
    log.raised()
    alarm = log.session.scalars(select(Alarm)).one()
    signals.close(
        log.session, alarm.id, "打电话核实", actor_id=alarm.account_id, now=NOON, source_ip=DESK
    )
    log.session.flush()

    again = log.raised()
    log.note("sign_in_failed", alarm.account_id, ago_s=1)
    after_one_more = log.raised()

    assert again == set()
    assert after_one_more == {("failures_account", subject)}


def test_an_alarm_is_answered_once_and_the_answer_is_audited(log: Log) -> None:
    failures(log, 10)
    log.raised()
    alarm = log.session.scalars(select(Alarm)).one()
    words = {"actor_id": alarm.account_id, "now": NOON, "source_ip": DESK}
    signals.acknowledge(log.session, alarm.id, **words)

    with pytest.raises(signals.AlarmMoved):
        signals.acknowledge(log.session, alarm.id, **words)
    with pytest.raises(signals.NoteNeeded):
        signals.close(log.session, alarm.id, "  ", **words)
    signals.close(log.session, alarm.id, "改密码后忘了", **words)
    with pytest.raises(GridsError):
        signals.close(log.session, alarm.id, "再关一次", **words)

    noted = log.session.scalars(
        select(AuditEvent.action).where(AuditEvent.subject == f"alarm:{alarm.id}")
    ).all()
    assert sorted(noted) == ["alarm_acknowledged", "alarm_closed"]


def test_hours_are_counted_again_without_counting_twice(log: Log) -> None:
    lin = log.account()
    log.note("sign_in_failed", lin, times=3, ago_s=200)
    signals.watch(log.session, log.now)
    log.note("sign_in_failed", lin, ago_s=100)
    signals.watch(log.session, log.now)

    rows = log.session.scalars(
        select(SignalCount.count).where(SignalCount.subject == f"account:{lin}")
    ).all()
    assert rows == [4]


def test_the_worker_watches_and_the_web_role_only_answers(log: Log) -> None:
    failures(log, 10)
    log.session.execute(text("SET LOCAL ROLE wangge_worker"))
    assert signals.watch(log.session, NOON) == 1
    log.session.execute(text("SET LOCAL ROLE wangge_app"))
    assert signals.open_count(log.session) == 1
    for table in ("alarm", "signal_count"):
        may = log.session.scalar(
            text("SELECT has_table_privilege('wangge_app', :t, 'INSERT, DELETE')"), {"t": table}
        )
        assert not may
