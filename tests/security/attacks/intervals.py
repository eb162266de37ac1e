"""Overlap attack: the least and the largest count of every cell that fits all that is told.

Mixed-integer programs know the whole rule: values are steps of five, the floor stands for
nought and less, a count is within reach of its value, parts are no larger than their whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from grids.people.counts_blur import ROUNDED_TO, SMALL, SMALLEST
from grids.people.counts_rule import WHOLES, Tree

#: No grid has more people than this; an attacker knows as much.
MOST = 5_000
Row = dict[int, float]


@dataclass
class Program:
    """Variables with bounds, and rows that lie between two numbers."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    rows: list[tuple[Row, float, float]] = field(default_factory=list)
    _made: LinearConstraint | None = None

    def add(self, low: float, high: float) -> int:
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def row(self, row: Row, low: float, high: float) -> None:
        self.rows.append((row, low, high))

    def solved(self, aim: Row) -> tuple[float, float]:
        """Return the least and the largest value of a sum of variables."""
        constraints = self._constraints()
        found = []
        for sign in (1.0, -1.0):
            cost = np.zeros(len(self.low))
            for at, factor in aim.items():
                cost[at] = sign * factor
            answer = milp(
                cost, integrality=np.ones(len(self.low)), bounds=Bounds(self.low, self.high),
                constraints=constraints,
            )  # fmt: skip
            assert answer.success, answer.message
            found.append(float(answer.fun) * sign)
        return found[0], found[1]

    def _constraints(self) -> LinearConstraint:
        if self._made is None:
            cells = [(at, column, value) for at, (row, _, _) in enumerate(self.rows)
                     for column, value in row.items()]  # fmt: skip
            rows, columns, values = zip(*cells, strict=True)
            shape = (len(self.rows), len(self.low))
            matrix = coo_array((values, (rows, columns)), shape=shape).tocsr()
            low, high = [low for _, low, _ in self.rows], [high for _, _, high in self.rows]
            self._made = LinearConstraint(matrix, low, high)
        return self._made


def knowledge(
    tree: Tree, told: Mapping[str, Mapping[str, int]], *, is_exact: bool
) -> tuple[Program, dict[tuple[str, str], int]]:
    """Write down what an attacker knows; return the variables of counts of leaves."""
    program = Program()
    counts: dict[tuple[str, str], int] = {}
    for measure, found in told.items():
        steps: dict[str, int] = {}
        for leaf in (node for node in tree.order if node not in tree.children):
            count = counts[measure, leaf] = program.add(0, MOST)
            if is_exact:
                continue
            step, at_floor = program.add(-1, MOST), program.add(0, 1)
            steps[leaf] = step
            program.row({count: 1, step: -ROUNDED_TO}, -SMALL.reach, np.inf)
            program.row({count: 1, step: -ROUNDED_TO, at_floor: -ROUNDED_TO}, -np.inf, SMALL.reach)
            program.row({step: 1, at_floor: 2}, 1, np.inf)
            program.row({step: 1, at_floor: MOST}, -np.inf, MOST - 1)
        for node, value in found.items():
            under = leaves_of(tree, node)
            if is_exact:
                program.row({counts[measure, leaf]: 1 for leaf in under}, value, value)
            else:
                program.row({steps[leaf]: ROUNDED_TO for leaf in under}, value, value)
    for whole, parts in WHOLES:
        for leaf in (node for node in tree.order if node not in tree.children):
            row = {counts[whole, leaf]: 1.0, **{counts[part, leaf]: -1.0 for part in parts}}
            program.row(row, 0, np.inf)
    return program, counts


def leaves_of(tree: Tree, node: str) -> list[str]:
    """List the leaves of an area."""
    under = tree.children.get(node)
    return [leaf for child in under for leaf in leaves_of(tree, child)] if under else [node]


def cells(tree: Tree, measures: Mapping[str, object]) -> Iterator[tuple[str, str, dict[str, int]]]:
    """List what an attacker aims at: every count, and what is left of every whole."""
    for measure in measures:
        for node in tree.order:
            yield measure, node, {measure: 1}
    for whole, parts in WHOLES:
        for node in tree.order:
            yield "-".join((whole, *parts)), node, {whole: 1, **dict.fromkeys(parts, -1)}


def exposed(
    tree: Tree, told: Mapping[str, Mapping[str, int]], *, is_exact: bool = False
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return every cell, told or not, whose count is known to less than ten."""
    program, counts = knowledge(tree, told, is_exact=is_exact)
    found = {}
    for name, node, signs in cells(tree, told):
        if is_exact and node in told.get(name, {}):
            continue
        aim = {counts[measure, leaf]: float(sign) for measure, sign in signs.items()
               for leaf in leaves_of(tree, node)}  # fmt: skip
        low, high = program.solved(aim)
        if high - low < SMALLEST:
            found[name, node] = (low, high)
    return found
