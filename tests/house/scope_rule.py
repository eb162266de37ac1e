"""The rule of the first wall, on the source: scoped rows are read through `grids.scope` only.

A statement over a scoped model must carry the builder's condition for it in the same Python
statement, or be handed to the builder by name in the same function; what cannot is named in `ALLOWED` with its reason. SQL text may name a scoped table
only where `ALLOWED` says why.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Model -> its table.
SCOPED = {
    "Person": "person",
    "Household": "household",
    "Incident": "incident",
    "IncidentEvent": "incident_event",
    "IncidentTask": "incident_task",
    "IncidentClock": "incident_clock",
    "IncidentReporter": "incident_reporter",
    "IncidentLink": "incident_link",
    "Attachment": "attachment",
    "Blob": "blob",
    "AuditEvent": "audit_event",
    "Dispute": "dispute",
    "DisputeEvent": "dispute_event",
    "DisputePhoto": "dispute_photo",
    "DisputeParty": "dispute_party",
    "DisputePaper": "dispute_paper",
    "DisputeTerm": "dispute_term",
    "Hazard": "hazard",
    "HazardEvent": "hazard_event",
    "HazardPhoto": "hazard_photo",
    "Inspection": "inspection",
    "Visit": "visit",
    "Observation": "observation",
    "AddressQuestion": "address_question",
    "FactCheck": "fact_check",
    "CorrectionFile": "correction_file",
    "Correction": "correction",
}
STARTS = frozenset({"select", "update", "delete", "rows_at"})
OF_A_SESSION = frozenset({"get", "get_one", "query"})
#: Calls that put the caller's scope into the statement they stand in.
BUILDERS = frozenset({"condition", "visible"})
IN_SQL = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO|ONLY|TABLE)\s+(" + "|".join(SCOPED.values()) + r")\b"
)


@dataclass(frozen=True)
class Finding:
    """One statement that reads scoped rows around the builder."""

    place: str  #: module:function
    line: int
    what: str


def findings(source: str, module: str) -> list[Finding]:
    """Return what a module reads around the builder, the allowed places included."""
    statements = list(_statements(ast.parse(source), ""))
    handed = {
        (name, argument.id)
        for name, statement in statements
        for call in ast.walk(statement)
        if isinstance(call, ast.Call) and _called(call) in BUILDERS
        for argument in call.args
        if isinstance(argument, ast.Name)
    }
    return [
        Finding(f"{module}:{name}", line, what)
        for name, statement in statements
        if not any((name, target) in handed for target in _targets(statement))
        for line, what in _offences(statement)
    ]


def _targets(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement gives its value to."""
    if isinstance(statement, ast.Assign):
        yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def sql_findings(text: str, module: str) -> list[Finding]:
    """Return the named statements of a SQL file that name a scoped table."""
    found, name = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"-- name: (\w+)", line)
        name = head[1] if head else name
        if not line.lstrip().startswith("--") and (hit := IN_SQL.search(line)):
            found.append(Finding(f"{module}:{name}", number, hit[1]))
    return found


def _statements(tree: ast.AST, name: str) -> Iterator[tuple[str, ast.stmt]]:
    """Yield every simple statement with the name of the function or class that it is in."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _statements(child, f"{name}.{child.name}".lstrip("."))
        elif isinstance(child, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match):
            yield from _compound(child, name)
        elif isinstance(child, ast.stmt):
            yield name, child
        else:
            yield from _statements(child, name)


def _compound(node: ast.stmt, name: str) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the head of a compound statement as one of its own, then its body."""
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            yield name, ast.copy_location(ast.Expr(value), value)
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, ast.withitem):
                    head = part.context_expr
                    yield name, ast.copy_location(ast.Expr(head), head)
                elif isinstance(part, ast.expr):
                    yield name, ast.copy_location(ast.Expr(part), part)
            block = ast.Module([part for part in value if isinstance(part, ast.stmt)], [])
            yield from _statements(block, name)
            for part in value:
                if isinstance(part, ast.excepthandler | ast.match_case) and field:
                    yield from _statements(part, name)


def _offences(statement: ast.stmt) -> Iterator[tuple[int, str]]:
    """Yield the reads of scoped models in one statement that carry no condition for them."""
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    held = {model for call in calls if _called(call) in BUILDERS for model in _models(call)}
    for call in calls:
        called = _called(call)
        is_start = called in STARTS and isinstance(call.func, ast.Name | ast.Attribute)
        is_read = called in OF_A_SESSION and call.args and isinstance(call.args[0], ast.Name)
        if not (is_start or is_read):
            continue
        models = {"Incident"} if called == "rows_at" else _models(call)
        if is_read:
            models &= {call.args[0].id}  # type: ignore[attr-defined]
        # A condition on the case holds what is joined to it by the same statement.
        loose = models - held if "Incident" not in held else set()
        if loose:
            yield call.lineno, f"{called}({', '.join(sorted(loose))})"
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_words = isinstance(statement, ast.Expr) and statement.value is node
            if not is_words and (hit := IN_SQL.search(node.value)):
                yield node.lineno, f"SQL on {hit[1]}"


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _models(call: ast.Call) -> set[str]:
    """Return the scoped models that the arguments of a call name."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    names = {node.id for part in arguments for node in ast.walk(part) if isinstance(node, ast.Name)}
    return names & SCOPED.keys()


def module_of(path: Path, root: Path) -> str:
    """Name a file as `ALLOWED` does: its path without the ending."""
    return str(path.relative_to(root).with_suffix(""))
