"""The web's worker with less patience, for tests that wait for its end."""

from app.slow_clients import PatientWorker


class QuickWorker(PatientWorker):
    """As in production, but a slow request is given up after two seconds."""

    grace_s = 2.0
