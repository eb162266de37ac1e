"""Attacks on published counts of people, as programs that anybody can run.

    python -m tests.security.attacks            print the table
    pytest tests/security/test_attacks_counts.py

Each attack is tried on the platform's publisher and on a naive one, which tells exact counts
from ten upwards. There it has to win: an attack that cannot succeed proves nothing.
"""
