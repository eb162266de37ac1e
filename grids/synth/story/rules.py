"""Rules that the told cases led to: precedents made a draft, a discussion paper, moratoria."""

from __future__ import annotations

from datetime import datetime, timedelta

from grids.responsibility import editing, moratoria, precedents, trial, versions
from grids.responsibility.editing import RuleInput
from grids.responsibility.matrix import Selector
from grids.responsibility.moratoria import Wanted
from grids.synth.story.stage import Stage

#: category, days from then until it ends, reason, note for the reporter, who approved it.
MORATORIA = (
    ("04002", -1, 52, "高温期不宜移栽，秋季统一补植", "行道树补植安排在秋季，届时统一处理。",
     "园林绿化中心，分管领导"),
    ("08001", 3, 16, "中考、高考期间停止夜间施工许可，集中整治", "考试期间夜间施工一律停工，可继续举报。",
     "城管委办公室"),
    ("06050", 20, 80, "道路大修计划内路段路缘石统一更换", "该路段已列入大修计划，将统一更换。",
     "市政公用中心，分管领导"),
)  # fmt: skip


def set_moratoria(stage: Stage, at: datetime) -> None:
    """Let one run, one have ended early, one lie ahead."""
    commander = stage.cast.find("commander", stage.cast.county)
    made = []
    for category, first, last, reason, note, by in MORATORIA:
        wanted = Wanted(
            "matter", category, stage.cast.county, at + timedelta(days=first),
            at + timedelta(days=last), reason, note, by,
        )  # fmt: skip
        made.append(moratoria.set_moratorium(stage.session, wanted, commander, now=at))
    moratoria.end_moratorium(
        stage.session, made[1].id, commander, note="整治提前完成", now=at + timedelta(days=8)
    )


def draft_rules(stage: Stage, now: datetime) -> tuple[int, int]:
    """Make a draft of the first precedent and ask for its trial; leave another one in discussion."""
    session, commander = stage.session, stage.cast.find("commander", stage.cast.county)
    kept = precedents.found(session)
    draft_id = precedents.to_draft(session, kept[-1].id, commander, now=now)
    asked = trial.ask_trial(session, draft_id, commander, now=now)
    talked = versions.new_draft(
        session, commander, name="明年责任分工（讨论稿）", note="各镇街、部门征求意见", now=now
    )
    town = min(one.areas[0] for one in stage.cast.everybody("town_seat"))
    for given in (
        RuleInput(kind="matter", category="09005", area=town, department="D03",
                  why="试点镇街店外经营由综合执法统一处置", basis="征求意见稿第3条"),
        RuleInput(kind="matter", category="06034", department="D04", assisting=("D03",),
                  why="废弃机动车由交警认定，执法局协助拖移", basis="征求意见稿第5条"),
        RuleInput(kind="matter", category="06028", band="night", department="D13",
                  assisting=("D08",), why="夜间社会生活噪声由公安先行处置", basis="征求意见稿第7条"),
    ):  # fmt: skip
        there = editing.rival(session, talked.id, _selector(stage, given), besides=None)
        editing.save_rule(
            session, talked.id, given, commander, rule_id=there.id if there else None, now=now
        )
    return asked.id, draft_id


def _selector(stage: Stage, given: RuleInput) -> Selector:
    known = editing.Known.of(stage.session)
    commander = stage.cast.find("commander", stage.cast.county)
    return editing.checked(given, known, commander).selector
