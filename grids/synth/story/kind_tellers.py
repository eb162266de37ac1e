"""Tells disputes and hazards through the services that people use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from grids.accounts import Actor
from grids.disputes import service as disputes
from grids.disputes.lifecycle import FLOW as DISPUTE
from grids.flows.taking import StepRequest
from grids.hazards import inspecting
from grids.hazards import service as hazards
from grids.hazards.checklists import DEFAULT_LIST, list_for, lists
from grids.hazards.inspecting import Visit
from grids.hazards.lifecycle import FLOW as HAZARD
from grids.synth.story.stage import Place, Run, Stage
from grids.synth.story.turns import Tale, Turn


class DisputeTeller:
    """Registers disputes and takes their steps."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def run(self, tale: Tale, k: int) -> Run:
        """Choose place and id."""
        return Run(tale, k, self._stage.uuid(), self._stage.place())

    def begin(self, run: Run, at: datetime) -> None:
        """Register the dispute with its two sides."""
        stage = self._stage
        parties = [self._party("applicant"), self._party("respondent")]
        values = {**run.tale.values, "area": run.area, "parties": parties}
        wanted = StepRequest(run.id, "register", values)
        actor = stage.cast.find(run.tale.who, run.area, run.k)
        disputes.register(stage.session, wanted, actor, now=at, vault=stage.vault)
        run.status = "registered"

    def step(self, run: Run, turn: Turn, at: datetime) -> None:
        """Take one step."""
        stage = self._stage
        actor = self._actor(run, turn)
        values = self._values(run, turn, at)
        photos = _photos(stage, run, values, turn, DISPUTE.need(turn.action, run.status).requires)
        wanted = StepRequest(stage.uuid(), turn.action, values, photos)
        answer = disputes.take(stage.session, run.id, wanted, actor, now=at, vault=stage.vault)
        run.status = answer.body["status"]
        if turn.action == "take":
            run.holder = actor.account_id
        elif "mediator" in values:
            run.holder = values["mediator"]
        elif run.status == "registered":
            run.holder = None

    def _actor(self, run: Run, turn: Turn) -> Actor:
        found = self._stage.cast.everybody("mediator")
        if turn.who == "mediator" and run.holder is not None:
            return next(one for one in found if one.account_id == run.holder)
        return self._stage.actor(run, turn)

    def _values(self, run: Run, turn: Turn, at: datetime) -> dict[str, Any]:
        stage, values = self._stage, dict(turn.values)
        match values.get("mediator"):
            case "@mediator":
                values["mediator"] = stage.cast.find("mediator", run.area, run.k).account_id
            case "@mediator2":
                other = stage.cast.find("mediator", run.area, run.k, besides=(run.holder or 0,))
                values["mediator"] = other.account_id
        if "held_at" in values:
            values["held_at"] = at.isoformat()
        if "terms" in values:
            values["terms"] = "\n".join(f"{stage.day(at, n)} {text}" for n, text in values["terms"])
        if "performed_on" in values:
            values["performed_on"] = stage.day(at)
        if values.get("parties") == "@party":
            values["parties"] = [self._party("respondent")]
        return values

    def _party(self, side: str) -> dict[str, Any]:
        name, phone = self._stage.person()
        return {"side": side, "name": name, "phone": phone}


class HazardTeller:
    """Reports hazards, visits premises, and takes the steps of hazards."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def run(self, tale: Tale, k: int) -> Run:
        """Choose premises, or a place, and an id."""
        stage = self._stage
        if not tale.values["at_premises"]:
            return Run(tale, k, stage.uuid(), stage.place())
        workers = stage.cast.everybody("worker")
        for _ in range(60):
            worker = workers[int(stage.rng.integers(len(workers)))]
            found = [one for one in inspecting.find_premises(stage.session, worker, "")
                     if list_for(one.kind) == DEFAULT_LIST]  # fmt: skip
            if found:
                chosen = found[int(stage.rng.integers(len(found)))]
                lon, lat = 0.0, 0.0  # the premises know where they are
                place = Place(lon, lat, chosen.area_code, chosen.name or "")
                return Run(tale, k, stage.uuid(), place, premises=chosen.id)
        raise LookupError("the city has no premises")

    def begin(self, run: Run, at: datetime) -> None:
        """Report a hazard, or visit premises with the check-list."""
        stage, values = self._stage, run.tale.values
        actor = stage.cast.find(run.tale.who, run.area, run.k)
        if run.tale.name.startswith("inspected"):
            self._visit(run, actor, at)
            return
        sent: dict[str, Any] = {"severity": values["severity"], "text": values["text"]}
        if run.premises is not None:
            sent["premises"] = str(run.premises)
        else:
            sent |= {"point": [run.place.lon, run.place.lat], "place": f"{run.place.text}门前"}
        photo = stage.photo(run, is_after=False)
        hazards.report(stage.session, StepRequest(run.id, "report", sent, (photo,)), actor, now=at)
        run.status = "found"

    def step(self, run: Run, turn: Turn, at: datetime) -> None:
        """Take one step."""
        stage = self._stage
        if turn.action == "*overdue":
            hazards.escalate_overdue(stage.session, at)
            return
        values = dict(turn.values)
        photos = _photos(stage, run, values, turn, HAZARD.need(turn.action, run.status).requires)
        wanted = StepRequest(stage.uuid(), turn.action, values, photos)
        actor = stage.actor(run, turn)
        answer = hazards.take(stage.session, run.id, wanted, actor, now=at)
        run.status = answer.body["status"]
        run.department = values.get("department", run.department)

    def _visit(self, run: Run, actor: Actor, at: datetime) -> None:
        stage = self._stage
        premises = hazards.premises_of(stage.session, actor, str(run.premises))
        codes = [item.code for item in lists()[list_for(premises.kind)]]
        failed = [code for code in codes if code in run.tale.values["visit"]]
        photo = stage.photo(run, is_after=False)
        visit = Visit(
            run.id, str(run.premises),
            {code: "failed" if code in failed else "ok" for code in codes},
            dict.fromkeys(failed, photo), dict.fromkeys(failed, "现场检查发现"),
        )  # fmt: skip
        inspecting.inspect(stage.session, visit, actor, now=at)


def _photos(
    stage: Stage, run: Run, values: dict[str, Any], turn: Turn, requires: tuple[str, ...]
) -> tuple[str, ...]:
    """Take the picture of a step: a signed paper where the tale says so, else what was done."""
    if what := values.pop("photo", ""):
        return (stage.photo(run, is_after=True, what=what),)
    if "photos" in requires:
        return (stage.photo(run, is_after=turn.action != "report"),)
    return ()
