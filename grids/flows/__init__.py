"""What case kinds with a life of their own share: a table of steps, events, clocks, sealed ids.

A kind (disputes, hazards) brings one literal `Flow` and its own tables; the rules of taking a
step stand here once. Cases of the map have an engine of their own (`grids/incidents`), see
`docs/decisions/0012-kinds-of-their-own.md`.
"""
