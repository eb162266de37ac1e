"""The rules of signing in that an installation chooses: passwords, second factor, limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class PasswordProfile:
    """What a password has to be, by one of two standards that contradict each other."""

    name: str
    shortest: int
    classes: int  #: how many of: small letters, capitals, digits, everything else
    lasts: timedelta | None  #: after this long a new one is asked for
    barred: int = 5  #: how many earlier ones may not come back
    longest: int = 256


#: GB/T 22239-2019 level 3, 8.1.4.1: complex, and changed periodically.
MLPS3: Final = PasswordProfile("mlps3", shortest=10, classes=3, lasts=timedelta(days=90))
#: OWASP ASVS 5.0, 6.2: long, of any composition, kept until there is a reason to change it.
ASVS: Final = PasswordProfile("asvs", shortest=12, classes=1, lasts=None)
PROFILES: Final = {profile.name: profile for profile in (MLPS3, ASVS)}

#: Who has to have a second factor.
SECOND_FACTOR: Final = ("all", "admins", "offered")
#: How a one-time code is computed; phones' usual applications know the first two.
DIGESTS: Final = ("sha1", "sha256", "sm3")


@dataclass(frozen=True)
class Policy:
    """The rules of one installation; `app.config.Settings` makes it from the environment.

    The values here are those of an installation without people: simulator and tests.
    """

    password: PasswordProfile = ASVS
    second_factor: str = "offered"
    digest: str = "sha1"
    failures_per_source: int = 5


OPEN: Final = Policy()
