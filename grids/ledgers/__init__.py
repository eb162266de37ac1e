"""One entry, all ledgers: forms as data, one visit, one set of observations, departments' ledgers.

`forms` keeps versions, `asking` decides what a visit asks, `visits` stores it, `tables` makes
ledgers of what was stored, `burden` says what forms cost. docs/ledgers.md is the page.
"""
