"""What becomes of a link: matching, promotion, conversion, merges, deletions, restorations, the filter. Pure.

Each decision is a table in which every combination of states has exactly one answer; the engine asks them, and
the reference prints them.
"""

from __future__ import annotations

from typing import Any, Final

from mkdyn.domain.lifecycle.handing_on import (
    TELLING as TELLING,
    converted as converted,
    edited_since as edited_since,
    filled_in as filled_in,
    followed_on as followed_on,
    is_qualified as is_qualified,
    is_reopened as is_reopened,
    left_behind as left_behind,
)
from mkdyn.domain.lifecycle.meeting import (
    ADMIT as ADMIT,
    MAKE as MAKE,
    MATCH as MATCH,
    PROMOTE as PROMOTE,
    Ambiguous as Ambiguous,
    Candidate as Candidate,
    CreateNew as CreateNew,
    LinkTo as LinkTo,
    MatchDecision as MatchDecision,
    Reason as Reason,
    match as match,
)
from mkdyn.domain.lifecycle.parting import (
    AT_GATE as AT_GATE,
    FAREWELL_OF_OTHERS as FAREWELL_OF_OTHERS,
    FAREWELL_OF_PERSONS as FAREWELL_OF_PERSONS,
    LEAVE as LEAVE,
    PART as PART,
    REFUSE as REFUSE,
    RETURN as RETURN,
    SEEN_AGAIN as SEEN_AGAIN,
    Farewell as Farewell,
    Reawakening as Reawakening,
    deleted_in_dynamics as deleted_in_dynamics,
)
from mkdyn.domain.lifecycle.referring import (
    REFER as REFER,
    Target as Target,
    named_by as named_by,
)
from mkdyn.domain.lifecycle.succession import (
    FOLLOW as FOLLOW,
    INHERIT as INHERIT,
    LOSE as LOSE,
    RETIRE as RETIRE,
    Heir as Heir,
    Left as Left,
    standing as standing,
)
from mkdyn.domain.lifecycle.table import ANY as ANY, Table as Table

#: All of them, in the order of a link's life.
TABLES: Final[tuple[Table[Any, *tuple[Any, ...]], ...]] = (
    MATCH, ADMIT, PROMOTE, MAKE, INHERIT, RETIRE, LOSE, FOLLOW, PART, FAREWELL_OF_PERSONS, FAREWELL_OF_OTHERS,
    SEEN_AGAIN, AT_GATE, LEAVE, RETURN, REFER, REFUSE,
)  # fmt: skip
