"""Grids with a history: plans that redraw a town's duty grids, and the switch on a day."""
