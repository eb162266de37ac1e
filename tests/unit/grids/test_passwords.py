"""Both password profiles, case by case (S02)."""

import pytest

from grids.accounts import known_passwords, passwords
from grids.accounts.passwords import KnownPassword, WeakPassword
from grids.accounts.policy import ASVS, MLPS3


class Towns:
    """Stands for a database whose city has two towns."""

    def scalars(self, _statement):
        return self

    def all(self):
        return ["义亭镇", "江东街道"]


GOOD, WEAK, KNOWN = "good", "weak", "known"
#: password, verdict by mlps3, verdict by asvs
CASES = [
    # length
    ("Tr0ub&dor", WEAK, WEAK),  # 9
    ("Tr0ub&dorZ", GOOD, WEAK),  # 10
    ("Tr0ub&dorZq", GOOD, WEAK),  # 11
    ("Tr0ub&dorZqx", GOOD, GOOD),  # 12
    ("Q" + "z7-" * 21, GOOD, GOOD),  # 64
    ("Kx" + "7m-vT" * 50, GOOD, GOOD),  # 252
    ("Kx" + "7m-vT" * 51, WEAK, WEAK),  # 257
    # kinds of characters
    ("gvkwmrhtznpd", WEAK, GOOD),  # one
    ("gvkwmrhtznpD", WEAK, GOOD),  # two
    ("gvkwmrhtznp4", WEAK, GOOD),
    ("gvkwmrhtzn4D", GOOD, GOOD),  # three
    ("gvkwmrhtzn-D", GOOD, GOOD),
    ("gvkwmrhtz-4D", GOOD, GOOD),  # four
    # passphrases, also in Chinese
    ("correct horse battery staple", WEAK, GOOD),
    ("Correct horse battery staple", GOOD, GOOD),
    ("春眠不觉晓处处闻啼鸟夜来", WEAK, GOOD),
    ("春眠不觉晓 Spring 花落知多少", GOOD, GOOD),
    # the login inside
    ("Xlinlin-2031-xZ", WEAK, WEAK),
    # tried first: lists, disguised, decorated
    ("password1234", WEAK, KNOWN),
    ("Password1234", KNOWN, KNOWN),
    ("P@ssw0rd2026!!", KNOWN, KNOWN),
    ("Qwertyuiop123!", KNOWN, KNOWN),
    ("1qaz2wsx3edc", WEAK, KNOWN),
    ("1qaz@WSX3edc", KNOWN, KNOWN),
    ("aaaaaaaaaaaa", WEAK, KNOWN),
    ("123456789012", WEAK, KNOWN),
    ("Woaini1314520", KNOWN, KNOWN),
    ("Zhangwei1990!!", KNOWN, KNOWN),
    ("Wanggezhang2026", KNOWN, KNOWN),
    ("Zhongguo@2026", KNOWN, KNOWN),
    # this city's towns, as written and in pinyin
    ("Yiting@20262026", KNOWN, KNOWN),
    ("Jiangdong!1234", KNOWN, KNOWN),
    ("义亭镇Ab1234567", KNOWN, KNOWN),
    ("义亭镇义亭镇2026!!", WEAK, KNOWN),
]


def verdict(password, profile):
    try:
        passwords.check_new(Towns(), password, login="linlin", profile=profile)
    except WeakPassword:
        return WEAK
    except KnownPassword:
        return KNOWN
    return GOOD


@pytest.mark.parametrize(("password", "mlps3", "asvs"), CASES, ids=[case[0][:24] for case in CASES])
def test_a_password_by_both_profiles(password, mlps3, asvs):
    assert (verdict(password, MLPS3), verdict(password, ASVS)) == (mlps3, asvs)


def test_the_lists_have_more_than_3000_entries():
    common = (known_passwords.LISTS / "common.txt").read_text().split()

    assert len(set(common)) > 3000
    assert len(known_passwords.words()) > 15_000
    assert {"123456", "woaini", "zhangwei", "weizhang"} <= known_passwords.words()


def test_every_long_password_of_the_common_list_is_refused():
    common = (known_passwords.LISTS / "common.txt").read_text().split()
    long = [word for word in common if len(word) >= 12 and "linlin" not in word]

    assert len(long) > 20
    assert {word for word in long if verdict(word, ASVS) != KNOWN} == set()


def test_full_width_letters_of_a_chinese_keyboard_are_the_plain_ones():
    stored = passwords.hash_of("Quiet-river-42")

    assert passwords.verify(stored, "Ｑｕｉｅｔ-river-42")
    assert not passwords.verify(stored, "quiet-river-42")


def test_the_shipped_cost_is_that_of_rfc_9106(shipped_hasher):
    assert shipped_hasher.time_cost >= 3
    assert shipped_hasher.memory_cost >= 64 * 1024  # KiB
    assert shipped_hasher.parallelism >= 4


def test_a_password_of_a_megabyte_costs_no_more_than_a_short_one():
    assert len(passwords.normal("x" * 1_000_000)) == passwords.MOST_CHARACTERS
