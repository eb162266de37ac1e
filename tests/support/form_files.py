"""The forms that ship, read from their files without a database."""

import csv
from functools import cache

from app.config import ROOT
from grids.ledgers import loading
from grids.ledgers.questions import Form, Item

FOLDER = ROOT / "data/codes/forms"


@cache
def shipped() -> tuple[Form, ...]:
    questions = {
        one.key: one for one in (*loading.checklist_questions(), *loading.read_questions(FOLDER))
    }
    known = {key: one.no for key, one in questions.items()}
    with (FOLDER / "forms.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return tuple(
        Form(n, row["form"], 1, row["line"], row["name_zh"], row["name_en"], row["subject"],
             tuple(row["kinds"].split()), int(row["visit_days"]),
             tuple(Item(questions[item["key"]],
                        (item["when"][0], tuple(item["when"][1])) if "when" in item else None)
                   for item in loading.read_items(row["questions"], known)))
        for n, row in enumerate(rows, 1)
    )  # fmt: skip
