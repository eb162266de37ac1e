"""People who sign in: accounts, roles, assignments to an area and a department, sessions."""

from grids.accounts.actors import Actor, actor_of
from grids.accounts.duty import on_duty
from grids.accounts.models import Account, Assignment, Shift, SignInSession
from grids.accounts.passwords import HASHER, NO_PASSWORD, WeakPassword
from grids.accounts.roles import ROLES
from grids.accounts.sessions import (
    IDLE,
    IDLE_OUTDOORS,
    LONGEST,
    SignedIn,
    end_stale_sessions,
    sign_in,
    sign_out,
    signed_in,
)
from grids.accounts.staff import UnknownRole, assign, create_account
from grids.secrets import token_hash

__all__ = [
    "HASHER",
    "IDLE",
    "IDLE_OUTDOORS",
    "LONGEST",
    "NO_PASSWORD",
    "ROLES",
    "Account",
    "Actor",
    "Assignment",
    "Shift",
    "SignInSession",
    "SignedIn",
    "UnknownRole",
    "WeakPassword",
    "actor_of",
    "assign",
    "create_account",
    "end_stale_sessions",
    "on_duty",
    "sign_in",
    "sign_out",
    "signed_in",
    "token_hash",
]
