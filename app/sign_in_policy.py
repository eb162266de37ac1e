"""The rules of signing in, made from the settings; web, live and command line share them."""

from __future__ import annotations

from app.config import Settings
from grids.accounts import PROFILES, Policy


def policy_from(settings: Settings) -> Policy:
    """Make the rules of signing in from the settings."""
    return Policy(
        password=PROFILES[settings.password_profile],
        second_factor=settings.second_factor,
        digest=settings.totp_digest,
        failures_per_source=settings.failures_per_source,
    )
