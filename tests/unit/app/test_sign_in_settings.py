"""The settings of signing in: what they may be, and what a demonstration makes of them."""

import dataclasses

import pytest

from app import processes
from app.config import InvalidSetting, Settings
from app.sign_in_policy import policy_from
from grids.accounts.policy import ASVS, MLPS3

URL = "postgresql://wangge@127.0.0.1/none"


def load(tmp_path, **more):
    return Settings.load({"WANGGE_VAR_DIR": str(tmp_path), "WANGGE_DATABASE_URL": URL, **more})


def test_an_installation_asks_everybody_for_a_second_factor_and_follows_mlps3(tmp_path):
    rules = policy_from(load(tmp_path))

    assert rules.second_factor == "all"
    assert rules.password is MLPS3
    assert rules.failures_per_source == 5


def test_the_other_profile_is_chosen_by_its_name(tmp_path):
    assert policy_from(load(tmp_path, WANGGE_PASSWORD_PROFILE="asvs")).password is ASVS


@pytest.mark.parametrize(
    "wrong",
    [
        {"WANGGE_PASSWORD_PROFILE": "none"},
        {"WANGGE_SECOND_FACTOR": "nobody"},
        {"WANGGE_TOTP_DIGEST": "md5"},
        {"WANGGE_FAILURES_PER_SOURCE": "0"},
        {"WANGGE_OIDC_ISSUER": "http://sso.city.example"},
        {"WANGGE_OIDC_ISSUER": "https://sso.city.example"},
    ],
)
def test_a_rule_that_does_not_exist_is_refused_at_start(tmp_path, wrong):
    with pytest.raises(InvalidSetting):
        load(tmp_path, **wrong)


def test_processes_follow_the_settings_of_who_starts_them(tmp_path):
    settings = dataclasses.replace(load(tmp_path), second_factor="offered")

    env = processes.environment(settings, processes.Ports(21001, 21002))

    assert env["WANGGE_SECOND_FACTOR"] == "offered"
