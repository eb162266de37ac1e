"""People who sign in: accounts, roles, grants, sessions, second factors, tokens."""

from grids.accounts.actors import Actor, Grant, actor_of
from grids.accounts.changing import WrongPassword, change_password
from grids.accounts.duty import on_duty
from grids.accounts.granting import (
    GrantRow,
    RoleConflict,
    UnknownRole,
    assign,
    expiring_grants,
    grant,
    grants_of,
    revoke,
)
from grids.accounts.identities import identities_of, link_identity, unlink_identity
from grids.accounts.models import Account, Assignment, Shift, SignInSession
from grids.accounts.open_sessions import (
    SessionRow,
    end_other_sessions,
    end_session,
    end_stale_sessions,
    sessions_of,
    sign_out,
)
from grids.accounts.passwords import HASHER, NO_PASSWORD, KnownPassword, UsedPassword, WeakPassword
from grids.accounts.policy import OPEN, PROFILES, Policy
from grids.accounts.roles import ADMIN_ROLES, ROLES
from grids.accounts.sessions import (
    IDLE,
    IDLE_OUTDOORS,
    LONGEST,
    SignedIn,
    confirm,
    second_step,
    sign_in,
    signed_in,
)
from grids.accounts.staff import (
    AccountRow,
    account_of,
    create,
    create_account,
    disable,
    enable,
    has_administrator,
    list_accounts,
    reset_password,
    reset_second_factor,
    unlock,
)
from grids.accounts.tokens import TokenCaller, create_token, revoke_token, token_caller, tokens_of
from grids.secrets import token_hash

__all__ = [
    "ADMIN_ROLES",
    "HASHER",
    "IDLE",
    "IDLE_OUTDOORS",
    "LONGEST",
    "NO_PASSWORD",
    "OPEN",
    "PROFILES",
    "ROLES",
    "Account",
    "AccountRow",
    "Actor",
    "Assignment",
    "Grant",
    "GrantRow",
    "KnownPassword",
    "Policy",
    "RoleConflict",
    "SessionRow",
    "Shift",
    "SignInSession",
    "SignedIn",
    "TokenCaller",
    "UnknownRole",
    "UsedPassword",
    "WeakPassword",
    "WrongPassword",
    "account_of",
    "actor_of",
    "assign",
    "change_password",
    "confirm",
    "create",
    "create_account",
    "create_token",
    "disable",
    "enable",
    "end_other_sessions",
    "end_session",
    "end_stale_sessions",
    "expiring_grants",
    "grant",
    "grants_of",
    "has_administrator",
    "identities_of",
    "link_identity",
    "list_accounts",
    "on_duty",
    "reset_password",
    "reset_second_factor",
    "revoke",
    "revoke_token",
    "second_step",
    "sessions_of",
    "sign_in",
    "sign_out",
    "signed_in",
    "token_caller",
    "token_hash",
    "tokens_of",
    "unlink_identity",
    "unlock",
]
