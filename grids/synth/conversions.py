"""The stock of old registration numbers of the simulated city, converted as far as it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from grids.conversion import registration_check
from grids.synth.business import ALPHABET, Firms, Ints, credit_codes
from grids.synth.names import FIRM_WORDS
from grids.synth.plan import COUNTY, NAME_ZH, Plan
from grids.synth.store import Writer

#: From this day on entities get credit codes at once; the older ones are the stock.
REFORM: Final = date(2015, 10, 1)
#: Registrar -> part of the stock that has its code: the customer's figures.
CONVERTED: Final = {"market": 0.65, "civil": 1.0, "staffing": 1.0}
#: Of so many converted pairs one has a wrong check digit, and at least `LEAST`.
ONE_WRONG_IN: Final = 500
LEAST: Final = 3
#: Entities that others than the market's registrar keep, one per so many enterprises.
OTHERS: Final = {"civil": (300, "association", ("商会", "协会", "志愿者协会", "研究会", "服务社")),
                 "staffing": (400, "institution", ("小学", "中学", "卫生院", "文化站", "服务中心"))}  # fmt: skip


@dataclass(frozen=True)
class Stock:
    """Pairs of one registrar, lists of n; no code where nothing was converted yet."""

    registrar: str
    old_number: list[str]
    name: list[str]
    uscc: list[str | None]
    firm: Ints  #: index of the enterprise, -1 where it is none


def market_stock(plan: Plan, firms: Firms) -> Stock:
    """Give every enterprise from before the reform its old number, and 65 % of them their code."""
    rng = plan.rng("conversions")
    firm = np.flatnonzero(firms.age_days > (plan.today - REFORM).days)
    old = [_registration_number(n) for n in range(len(firm))]
    codes: list[str | None] = [firms.uscc[k] for k in firm.tolist()]
    waits = rng.permutation(len(firm))[round(CONVERTED["market"] * len(firm)) :]
    for k in waits.tolist():
        codes[k] = None
    has_code = [k for k, code in enumerate(codes) if code]
    wrong = _wrong(len(has_code), rng)
    for n, k in enumerate(has_code[at] for at in wrong):
        # One in four was mistyped in the old number, the others in the new one.
        if n % 4 == 3:
            old[k] = _mistyped(old[k], "0123456789")
        else:
            codes[k] = _mistyped(str(codes[k]), ALPHABET)
    return Stock("market", old, [firms.name[k] for k in firm.tolist()], codes, firm)


def other_stock(plan: Plan, registrar: str) -> Stock:
    """Make the entities of civil affairs or of the staffing office; all have their codes."""
    each, kind, ends = OTHERS[registrar]
    rng = plan.rng(f"conversions {registrar}")
    count = max(4, plan.enterprises // each)
    codes: list[str | None] = list(credit_codes([kind] * count, rng))
    for k in _wrong(count, rng)[:1]:
        codes[k] = _mistyped(str(codes[k]), ALPHABET)
    words = rng.integers(len(FIRM_WORDS), size=(count, 2))
    names = [
        NAME_ZH + FIRM_WORDS[a] + FIRM_WORDS[b] + ends[k % len(ends)]
        for k, (a, b) in enumerate(words.tolist())
    ]
    sign = "社证" if registrar == "civil" else "事证"
    old = [f"{sign}字第{COUNTY}{k + 1:06d}号" for k in range(count)]
    return Stock(registrar, old, names, codes, np.full(count, -1))


def store_conversions(
    out: Writer, plan: Plan, firms: Firms, enterprise_ids: Ints, area_codes: Any
) -> None:
    """Write all pairs; `area_codes` says where each enterprise lies."""
    stocks = [market_stock(plan, firms), *(other_stock(plan, name) for name in OTHERS)]
    for stock in stocks:
        own = stock.firm >= 0
        since = (plan.today - REFORM).days
        out.put("code_conversion", {
            "registrar": [stock.registrar] * len(stock.name),
            "old_number": stock.old_number, "name": stock.name, "uscc": stock.uscc,
            "converted_on": [
                None if code is None else REFORM + timedelta(days=n * 7 % since)
                for n, code in enumerate(stock.uscc)
            ],
            "enterprise_id": np.ma.masked_array(enterprise_ids[np.maximum(stock.firm, 0)],
                                                mask=~own),
            "area_code": [str(area_codes[k])[:12] if k >= 0 else COUNTY
                          for k in stock.firm.tolist()],
        })  # fmt: skip


def _registration_number(n: int) -> str:
    """Number an old registration: county 6, kind and sequence 8, check digit."""
    body = f"{COUNTY}2{n:07d}"
    return body + registration_check(body)


def _wrong(count: int, rng: np.random.Generator) -> list[int]:
    some = min(count, max(LEAST, count // ONE_WRONG_IN))
    chosen: list[int] = rng.permutation(count)[:some].tolist()
    return chosen


def _mistyped(number: str, alphabet: str) -> str:
    """Put the next sign of the alphabet in the place of the check digit."""
    return number[:-1] + alphabet[(alphabet.index(number[-1]) + 1) % len(alphabet)]
