"""gunicorn: the live process, thousands of server-sent event streams on one gevent worker."""

import os

bind = f"{os.environ.get('WANGGE_BIND', '127.0.0.1')}:{os.environ.get('WANGGE_LIVE_PORT', '8001')}"
worker_class = "gevent"
# One process holds one LISTEN connection and all streams; a second would halve nothing.
workers = 1
worker_connections = 4000
proc_name = "wangge-live"
# It would lie in the home folder, where a second installation meets it; nothing needs it.
control_socket_disable = True
timeout = 120
# Streams never end by themselves; the browser reconnects with Last-Event-ID.
graceful_timeout = 2
keepalive = 15
forwarded_allow_ips = os.environ.get("WANGGE_PROXY_IPS", "127.0.0.1")
errorlog = "-"
accesslog = None
loglevel = "warning"
