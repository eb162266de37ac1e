"""What personal data may be kept for, on which ground, and how long: codes, spelled out once."""

from __future__ import annotations

from typing import Final

#: Code -> purpose.
PURPOSES: Final = {
    "service": "help and services of the person's own grid",
    "search": "exact search, without opening anything",
    "counts": "counts of at least ten",
    "call_back": "ask the reporter and tell the result",
    "case": "handle the case that was reported",
    "proof": "prove who did what in a case, and where",
    "contact": "reach the enterprise in an emergency",
    "sign_in": "let staff sign in and keep others out",
    "accountability": "say who saw or changed what",
    "duty": "know who is on duty",
    "mediation": "mediate a dispute and prove what was agreed",
    "addresses": "find out which address a text means",
    "rights": "answer what residents ask about their data",
}
#: Code -> legal ground (PIPL art. 13).
BASES: Final = {
    "legal_duty": "legal duty of the authority (PIPL art. 13 (3))",
    "consent": "consent, can be withdrawn (PIPL art. 13 (1))",
    "employment": "management of staff (PIPL art. 13 (2))",
    "network_law": "Cybersecurity Law art. 21: logs of six months or more",
}
#: Code -> how long; `grids.retention.RULES` carries out what has a rule.
RETENTIONS: Final = {
    "resident_2y": "while resident and two years after moving out",
    "closed_1y": "one year after the case is closed",
    "letter_1y": "one year after the letter was dealt with",
    "case": "as long as the case",
    "ended_3y": "three years after the dispute ended",
    "dispute": "as long as the dispute",
    "hazard": "as long as the hazard",
    "employed": "while the account exists",
    "session": "until the sign-in ends",
    "asked_90": "90 days after the question was answered",
    "days_30": "30 days",
    "days_180": "180 days or longer, as the audit log",
    "years_3": "three years",
    "while_open": "while the enterprise is open",
}
