"""Scans that anybody can run: `python -m tests.security.scan`, see docs/security.md."""
