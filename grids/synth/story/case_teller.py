"""Tells cases through the services that people use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from grids import scope
from grids.accounts import Actor
from grids.incidents import service
from grids.incidents.lifecycle import find_move
from grids.incidents.models import Incident
from grids.incidents.requests import Contact, MoveRequest, Report
from grids.responsibility import arbitration, watch
from grids.responsibility.arbitration import Decision, Shown
from grids.synth.story.stage import OUTDOORS, Run, Stage
from grids.synth.story.turns import Tale, Turn, Values

#: Tales that happen where another one does.
WHERE = {"merged": "main", "unmerged": "main"}


class CaseTeller:
    """Opens cases and takes their steps."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def run(self, tale: Tale, k: int) -> Run:
        """Choose place and id of a tale before anything happens."""
        shared = self._stage.runs.get((WHERE.get(tale.name, ""), k))
        run = Run(tale, k, self._stage.uuid(), shared.place if shared else self._stage.place())
        self._stage.runs[tale.name, k] = run
        return run

    def begin(self, run: Run, at: datetime) -> None:
        """Report the case."""
        stage, values = self._stage, run.tale.values
        lon, lat = (run.place.lon, run.place.lat)
        channel = values["channel"]
        who = run.tale.who
        is_staff = who not in ("public", "system")
        actor = stage.cast.find(who, run.area, run.k) if is_staff else None
        before = stage.photo(run, is_after=False)
        after = (stage.photo(run, is_after=True),) if values.get("after") else ()
        contact = Contact(*stage.person()) if channel in ("public", "phone") else None
        is_outdoors = channel in ("worker", "public")
        report = Report(
            id=run.id, category=values["category"], lon=lon, lat=lat,
            text=f"{run.place.text}附近{values['text']}", address=f"{run.place.text}附近",
            channel=channel, photos=(before,) if is_outdoors else (), after=after,
            device_at=at - timedelta(seconds=40) if is_outdoors else None,
            device="app" if channel == "worker" else "", contact=contact,
            flags=_flags(values, actor),
        )  # fmt: skip
        service.submit(stage.session, report, actor, now=at, vault=stage.vault)
        run.status = "self_handled" if after else "pending_accept"

    def step(self, run: Run, turn: Turn, at: datetime) -> None:
        """Take one step."""
        self._look(run)
        if turn.action.startswith("*"):
            self._besides(run, turn, at)
            return
        wanted = self._request(run, turn, at)
        actor = self._stage.actor(run, turn)
        service.move(self._stage.session, run.id, wanted, actor, now=at)
        if wanted.assisting:
            run.assisting = wanted.assisting

    def _look(self, run: Run) -> None:
        """See where the case is: the clock may have moved it."""
        commander = self._stage.cast.find("commander", run.area)
        found = self._stage.session.execute(
            select(Incident.status, Incident.department_code).where(
                scope.condition(commander, Incident), Incident.id == run.id
            )
        ).one()
        run.status, run.department = found.status, found.department_code

    def _request(self, run: Run, turn: Turn, at: datetime) -> MoveRequest:
        stage, given = self._stage, dict(turn.values)
        more: dict[str, Any] = {}
        if "department" in given:
            more["department"] = stage.department(run, given.pop("department"), at)
        if "assisting" in given:
            found = (stage.department(run, word, at) for word in given.pop("assisting"))
            more["assisting"] = tuple(found)
        if given.pop("worker", None):
            more["worker"] = stage.cast.find("worker", run.area, run.k).account_id
        if "main" in given:
            more["main"] = stage.runs[given.pop("main"), run.k].id
        if "until" in given:
            more["until"] = at + timedelta(hours=given.pop("until"))
        if "device_back" in given:
            more |= {"device_at": at - timedelta(hours=given.pop("device_back")), "device": "app"}
        if turn.action in OUTDOORS:
            more["lon"], more["lat"] = stage.near(run.place)
        return MoveRequest(
            id=stage.uuid(), action=turn.action, photos=self._photos(run, turn), **given, **more
        )

    def _photos(self, run: Run, turn: Turn) -> tuple[str, ...]:
        line = find_move(turn.action, run.status)
        is_asked = line is not None and "photos" in line.requires
        if not is_asked and turn.action not in ("handle", "assist_reply", *OUTDOORS):
            return ()
        is_after = turn.action not in ("handle", "verify")
        return (self._stage.photo(run, is_after=is_after),)

    def _besides(self, run: Run, turn: Turn, at: datetime) -> None:
        """Do the work of the clock, of a side of a quarrel, or of its arbiter."""
        session = self._stage.session
        match turn.action:
            case "*watch":
                watch.detect(session, at)
                watch.default_overdue(session, at)
            case "*state":
                shown = self._quarrel(run)
                side = shown.arbitration.parties[0]
                actor = self._stage.cast.find("handler", run.area, run.k, department=side)
                arbitration.state_case(
                    session, shown.arbitration.id, actor, now=at,
                    text=turn.values["text"], basis=turn.values["basis"],
                )  # fmt: skip
            case "*decide":
                actor = self._stage.actor(run, turn)
                department = self._stage.department(run, turn.values["department"], at)
                arbitration.decide(
                    session, self._quarrel(run).arbitration.id, actor,
                    Decision(department, turn.values["why"], turn.values["facts"]), now=at,
                )  # fmt: skip

    def _quarrel(self, run: Run) -> Shown:
        commander = self._stage.cast.find("commander", run.area)
        found = arbitration.arbitrations(self._stage.session, commander, state="open")
        return next(one for one in found if one.case.id == run.id)


def _flags(values: Values, actor: Actor | None) -> dict[str, Any]:
    """Return what a report has from its first day: who may know of it, what its phone said."""
    flags: dict[str, Any] = {
        name: True for name in ("mock_place", "outside_own") if values.get(name)
    }
    if values.get("confidential") and actor is not None:
        flags["confidential"] = {"by": actor.account_id, "seq": 1}
    return flags
