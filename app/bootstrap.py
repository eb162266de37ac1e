"""Set-up of everything a command needs, before anything is installed: standard library only.

`./wangge` runs this file with the system's Python. Each step first looks whether its
result is there (a stamp with a hash of what it was made from), so a second run takes
a fraction of a second. What a command does not need is not set up. The steps stand in
`app/boot`; nothing here or there may ask for a package.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

# Run as a file, and apart from the caller's environment, Python does not look here by itself.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.boot import pages, python, server
from app.boot.tools import SetupError, locked, log_name, say

FACES = ("python", "server", "node", "npm", "assets", "texts")
NEEDS = {
    "demo": FACES,
    "up": FACES,
    "dev": FACES,
    "bench": FACES,
    "test": (*FACES, "browser", "oidc", "mail"),
    "check": ("python", "node", "npm", "texts"),
    "assets": ("python", "node", "npm"),
    "lock": ("python",),
    "down": ("python",),
    "status": ("python",),
    "doctor": ("python",),
}
#: Everything else works on the database and shows no page.
OTHERS = ("python", "server")


def main(arguments: list[str]) -> int:
    """Set up what the command needs; return the exit status."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    needs = NEEDS.get(command, OTHERS) if command else ("python",)
    if "--help" in arguments:
        needs = ("python",)
    if os.environ.get("WANGGE_DATABASE_URL") and command != "test":
        needs = tuple(need for need in needs if need != "server")
    if sys.version_info[:2] not in {(3, 11), (3, 12), (3, 13)}:
        say(f"this is Python {sys.version.split()[0]}; next step: install Python 3.11")
        return 1
    try:
        run_steps(needs)
    except SetupError as error:
        print(f"wangge: {error}", file=sys.stderr)
        return 1
    return 0


def run_steps(needs: tuple[str, ...]) -> None:
    """Run the steps that are not done; of two processes the second one waits."""
    if all(is_done(need) for need in needs):
        return
    with locked():
        for need in needs:
            if not is_done(need):
                STEPS[need]()
                if not is_done(need):
                    raise SetupError(f"{need}: set-up ran but left it incomplete; see {log_name()}")


def is_done(need: str) -> bool:
    """Say whether the result of a step is there and of the current sources."""
    return DONE[need]()


STEPS: dict[str, Callable[[], None]] = {
    "python": python.set_up_python,
    "server": server.set_up_server,
    "node": pages.set_up_node,
    "npm": pages.set_up_npm,
    "assets": pages.set_up_assets,
    "oidc": pages.set_up_oidc,
    "texts": pages.set_up_texts,
    "browser": pages.set_up_browser,
    "mail": pages.set_up_mail,
}
DONE: dict[str, Callable[[], bool]] = {
    "python": python.python_is_done,
    "server": server.server_is_done,
    "node": pages.node_is_done,
    "npm": pages.npm_is_done,
    "assets": pages.assets_are_done,
    "oidc": pages.oidc_is_done,
    "texts": pages.texts_are_done,
    "browser": pages.browser_is_done,
    "mail": pages.mail_is_done,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
