"""The same reports to the same application on several WSGI servers, turn by turn.

Each has as many processes and threads as the others; granian is asked only where it is installed.
"""

from __future__ import annotations

import importlib.util
import os
from contextlib import ExitStack

from bench import Result
from bench.intake import CLIENTS, GUNICORN, TURNS, Sent, office, send, server

WORKERS, THREADS = "2", "16"
SERVERS = {
    "gunicorn gthread": GUNICORN,
    "gunicorn sync": (*GUNICORN, "--worker-class", "sync"),
    "granian": (
        "granian", "--interface", "wsgi", "--workers", WORKERS, "--blocking-threads", THREADS,
        "--host", "127.0.0.1", "--port", "{port}", "--no-ws", "--log-level", "warning",
    ),
}  # fmt: skip
REPORTS = 40_000
LEAST = 800


def run(scale: float) -> list[Result]:
    """Send the same to each; the first is the one in use, beside which the others stand."""
    os.environ |= {"WANGGE_WEB_WORKERS": WORKERS, "WANGGE_WEB_THREADS": THREADS}
    count = max(LEAST, round(REPORTS * scale))
    names = [one for one in SERVERS if one != "granian" or importlib.util.find_spec("granian")]
    sent = {name: Sent(0.0, []) for name in names}
    with office(100) as made, ExitStack() as stack:
        ports = {n: stack.enter_context(server(made, "app.wsgi:app", SERVERS[n])) for n in names}
        for port in ports.values():
            send(made, port, CLIENTS * 16)
        for turn in range(TURNS):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                sent[name].add(send(made, ports[name], count // TURNS))
    first = sent[names[0]]
    return [
        result
        for name, one in sent.items()
        for result in (
            Result(f"intake on {name}", scale, one.rate, first.rate, "reports/s", 0.0),
            Result(f"intake on {name}, p95", scale, one.p95_ms, first.p95_ms, "ms", 99.0, "lower"),
        )
    ]
