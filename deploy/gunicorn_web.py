"""gunicorn: the web processes. Settings come from the environment; app/ is not imported here."""

import os
import sys

bind = f"{os.environ.get('WANGGE_BIND', '127.0.0.1')}:{os.environ.get('WANGGE_WEB_PORT', '8000')}"
# Threads, with a bound on what slow clients may hold of them.
worker_class = "app.slow_clients.PatientWorker"
workers = int(os.environ.get("WANGGE_WEB_WORKERS", "2"))
threads = int(os.environ.get("WANGGE_WEB_THREADS", "16"))
proc_name = "wangge-web"
# Imported once and shared: half the memory, and a start in half the time.
preload_app = "--reload" not in sys.argv
# It would lie in the home folder, where a second installation meets it; nothing needs it.
control_socket_disable = True
# Exports stream for minutes; a worker that does not answer its master this long is stuck.
timeout = 120
graceful_timeout = 20
keepalive = 15
# Slow growth of memory never becomes a problem of the night shift.
max_requests = 50_000
max_requests_jitter = 5_000
forwarded_allow_ips = os.environ.get("WANGGE_PROXY_IPS", "127.0.0.1")
limit_request_line = 8190
errorlog = "-"
accesslog = None
loglevel = "warning"


def worker_exit(server: object, worker: object) -> None:  # noqa: ARG001 - gunicorn's form
    """End at once: all requests are answered, and freeing the native libraries took 15 s."""
    os._exit(0)
