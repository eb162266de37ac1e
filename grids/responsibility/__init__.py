"""Who is responsible for a case, and what to do where nobody wants to be (权责, 推诿).

`owner_of` answers for one case at one moment, never with nothing; `moratorium_of` says
whether cases like it rest just now; `precedents` names like cases that were argued about.
Rules are versioned: see `docs/responsibility.md`.
"""

from grids.responsibility.moratoria import moratorium_of
from grids.responsibility.ruling import Ruling, explain, owner_of

__all__ = ["Ruling", "explain", "moratorium_of", "owner_of"]
