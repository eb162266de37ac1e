"""The nightly care: tables compared with each other, and cases that have got stuck."""
