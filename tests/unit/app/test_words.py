"""An error at the keyboard is said in the reader's language."""

import pytest
from click.testing import CliRunner

from app.cli import main
from app.cli.words import language, message_of
from grids.importing.osm_read import UnreadablePbf


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "WANGGE_LANG": "en"}, "en"),
        ({}, "en"),
    ],
)
def test_the_terminal_says_which_language(environ: dict[str, str], expected: str) -> None:
    assert language(environ) == expected


def test_a_cut_extract_is_named_in_both_languages() -> None:
    error = UnreadablePbf("cut.pbf cannot be read", file="cut.pbf")

    chinese, english = (message_of(error, {"LANG": lang}) for lang in ("zh_CN", "en_GB"))

    assert "cut.pbf" in chinese
    assert "OpenStreetMap 提取文件" in chinese
    assert english.startswith("cut.pbf cannot be read: it is not an OpenStreetMap extract")


def test_an_error_without_a_text_keeps_its_own_words() -> None:
    assert message_of(ValueError("as it is")) == "as it is"


def test_every_command_explains_itself() -> None:
    for name, command in main.commands.items():
        if name == "test":  # it hands `--help` on to pytest, a run of some seconds
            assert command.help
            continue
        shown = CliRunner().invoke(main, [name, "--help"])

        assert shown.exit_code == 0, name
