"""Set-up runs before anything is installed, does only what is missing, and says what failed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import bootstrap
from app.boot import server, tools
from app.cli import main as door
from app.config import ROOT


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of set-up's own in place of var/boot."""
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    monkeypatch.setattr(tools, "BOOT", tmp_path / "boot")
    return tmp_path


def test_it_needs_the_standard_library_only() -> None:
    sources = [
        ROOT / "app/__init__.py",
        ROOT / "app/bootstrap.py",
        *(ROOT / "app/boot").glob("*.py"),
    ]
    named = {
        name if name.startswith("app.") else name.split(".")[0]
        for path in sources
        for node in top_of(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
        )
        if name
    }

    assert {name for name in named if not name.startswith("app.boot")} <= sys.stdlib_module_names
    assert len(sources) > 5


def top_of(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk what runs when a module is imported; of bootstrap and its steps, everything."""
    for node in tree.body:
        is_later = isinstance(node, ast.FunctionDef) and node.name == "create_app"
        is_typing = isinstance(node, ast.If)
        if not is_later and not is_typing:
            yield from ast.walk(node)


def test_it_knows_what_commands_need_by_their_real_names() -> None:
    assert set(bootstrap.NEEDS) <= set(door.commands)


def test_a_second_run_does_nothing_and_says_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "app/bootstrap.py", "status"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_only_steps_that_are_not_done_run(boot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    state = {"node": True, "npm": False}
    monkeypatch.setattr(bootstrap, "DONE", {k: lambda k=k: state[k] for k in state})

    def step(name: str) -> None:
        ran.append(name)
        state[name] = True

    monkeypatch.setattr(bootstrap, "STEPS", {k: lambda k=k: step(k) for k in state})

    bootstrap.run_steps(("node", "npm"))

    assert ran == ["npm"]


def test_a_step_that_leaves_its_work_undone_is_an_error(
    boot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "DONE", {"npm": lambda: False})
    monkeypatch.setattr(bootstrap, "STEPS", {"npm": lambda: None})

    with pytest.raises(tools.SetupError, match="npm: set-up ran but left it incomplete"):
        bootstrap.run_steps(("npm",))


def test_a_failure_shows_the_programs_words_and_the_next_step(boot: Path) -> None:
    script = "import sys; print('no route to the index'); sys.exit(4)"

    with pytest.raises(tools.SetupError) as caught:
        tools.run([sys.executable, "-c", script], cwd=boot, next_step="look at the network")

    assert "no route to the index" in str(caught.value)
    assert "next step: look at the network" in str(caught.value)


def test_the_digest_follows_content_and_names(boot: Path) -> None:
    (boot / "a").write_text("1")
    first = tools.digest("a")
    (boot / "a").write_text("2")
    second = tools.digest("a")
    (boot / "a").rename(boot / "b")

    assert len({first, second, tools.digest("b")}) == 3


def test_unpacked_extensions_get_the_links_their_packages_would_make(tmp_path: Path) -> None:
    extensions = tmp_path / "usr/share/postgresql/15/extension"
    extensions.mkdir(parents=True)
    (extensions / "postgis-3.control").write_text("default_version = '3.3.2'")
    (extensions / "postgis.control").symlink_to("/etc/alternatives/nowhere")
    (extensions / "pgrouting.control").write_text("x")

    server.link_alternatives(tmp_path)

    assert (extensions / "postgis.control").read_text() == "default_version = '3.3.2'"
    assert (extensions / "pgrouting.control").read_text() == "x"


def test_an_unpacked_server_finds_every_folder_of_libraries(tmp_path: Path) -> None:
    for name in ("libpq.so.5", "blas/libblas.so.3", "empty/readme"):
        path = tmp_path / "usr/lib/x86_64-linux-gnu" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    found = server.server_environment(tmp_path)

    folders = found["LD_LIBRARY_PATH"].split(":")
    assert [Path(f).name for f in folders] == ["x86_64-linux-gnu", "blas"]
    assert found["WANGGE_PG_BIN"] == str(tmp_path / "usr/lib/postgresql/15/bin")
