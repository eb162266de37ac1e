"""What the services of responsibility refuse; each kind has a stable code."""

from __future__ import annotations

from grids.errors import Conflict, Invalid, NotAllowed, NotFound


class NoRuleSet(NotFound):
    """There is no such version of the matrix."""

    code = "rules.none"


class NoRule(NotFound):
    """There is no such rule in this version, or it lies outside the caller's area."""

    code = "rules.no_rule"


class Frozen(Conflict):
    """A version that is, was or will be in force, or is being tried: change a draft of it."""

    code = "rules.frozen"


class BadRule(Invalid):
    """A field of a rule is missing or wrong; `field` names it, `problem` says what."""

    code = "rules.bad_field"


class SameSelectors(Conflict):
    """Two rules ask for exactly the same cases: nobody could say which of them wins."""

    code = "rules.same_selectors"


class NoDefault(Conflict):
    """The version has no rule for everything: some case would have no owner."""

    code = "rules.no_default"


class Incomplete(Conflict):
    """For some category in some area the matrix has no answer, or more than one."""

    code = "rules.incomplete"


class TrialFirst(Conflict):
    """The version was not tried on the cases of last year, or was changed since."""

    code = "rules.trial_first"


class TooEarly(Invalid):
    """A version goes live from now on or later, and after every version before it."""

    code = "rules.too_early"


class WholeCityOnly(NotAllowed):
    """Only who answers for the whole city puts a matrix in force."""

    code = "rules.whole_city"


class NobodyToOwn(Conflict):
    """The code lists hold no department, so no case can have an owner."""

    code = "rules.no_department"


class BadTable(Invalid):
    """The table cannot be read as rules; `rows` says which line and why."""

    code = "rules.bad_table"


class NoMoratorium(NotFound):
    """There is no such moratorium in the caller's area."""

    code = "moratorium.none"


class BadMoratorium(Invalid):
    """A field of a moratorium is missing or wrong; `field` names it."""

    code = "moratorium.bad_field"


class MoratoriumOver(Conflict):
    """The moratorium has ended already."""

    code = "moratorium.over"


class NoArbitration(NotFound):
    """There is no arbitration of a case that the caller may see."""

    code = "arbitration.none"


class ArbitrationOver(Conflict):
    """The arbitration is decided already; the decision binds."""

    code = "arbitration.over"


class ArbitrationOpen(Conflict):
    """The case has an arbitration already."""

    code = "arbitration.open"


class NotYourDecision(NotAllowed):
    """Only the arbiter that was named, or a commander of the area, decides."""

    code = "arbitration.not_yours"


class NoParty(NotAllowed):
    """Only a department that had the case states its case."""

    code = "arbitration.no_party"


class StatementTooLate(Conflict):
    """The time for statements is over."""

    code = "arbitration.too_late"


class BadStatement(Invalid):
    """A field of a statement or decision is missing or wrong; `field` and `problem` say which."""

    code = "arbitration.bad_field"


class NoPrecedent(NotFound):
    """There is no such precedent."""

    code = "precedent.none"
