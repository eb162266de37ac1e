"""Every view says who may call it."""

from flask import Flask

from grids.accounts import ROLES


def test_every_view_states_its_permission(web_application: Flask) -> None:
    views = web_application.view_functions

    bare = {name for name, view in views.items() if not hasattr(view, "permission")}

    assert bare == {"static"}


def test_every_permission_of_a_view_is_granted_to_some_role(web_application: Flask) -> None:
    granted = {permission for role in ROLES.values() for permission in role}
    views = web_application.view_functions.values()

    stated = {view.permission for view in views if hasattr(view, "permission")}

    assert stated - granted <= {"public", "signed_in"}
