"""The rules alone: no input, no output, no clock.

Read in this order: `systems`, `entities` and `directions` say who is who and who may write
where; `values`, `fields`, `records` and `feeds` are the nouns; `merge` is the heart, with
`collisions` deciding who wins and `evidence` telling our own writes from other people's;
`lifecycle` decides what becomes of a link; `plan`, `guards`, `outcomes` and `holds` are what
comes out.
"""

from mkdyn.domain.collisions import (
    Ask as Ask,
    Collision as Collision,
    Policy as Policy,
    Resolution as Resolution,
    ResolutionKind as ResolutionKind,
    ValueDisplay as ValueDisplay,
    Verdict as Verdict,
    Win as Win,
    resolve as resolve,
    system_of_record as system_of_record,
)
from mkdyn.domain.conditions import (
    Comparison as Comparison,
    Condition as Condition,
    Ordered as Ordered,
    Where as Where,
    condition_from as condition_from,
    where as where,
)
from mkdyn.domain.counts import (
    Counts as Counts,
    Estimate as Estimate,
    MatchReport as MatchReport,
)
from mkdyn.domain.directions import (
    Direction as Direction,
    direction_of as direction_of,
    may_create_field as may_create_field,
)
from mkdyn.domain.entities import (
    AnyEntity as AnyEntity,
    CustomEntity as CustomEntity,
    Entity as Entity,
    PersonEntity as PersonEntity,
    is_person as is_person,
)
from mkdyn.domain.feeds import Cursor as Cursor, Entry as Entry, Evidence as Evidence, Page as Page
from mkdyn.domain.fields import (
    FieldPair as FieldPair,
    FieldSpec as FieldSpec,
    Nature as Nature,
    NewField as NewField,
    PairState as PairState,
)
from mkdyn.domain.filters import Filter as Filter, Gate as Gate, Passage as Passage
from mkdyn.domain.guards import Breach as Breach, Guard as Guard, Guards as Guards
from mkdyn.domain.holds import Hold as Hold, Quarantined as Quarantined, Wake as Wake
from mkdyn.domain.lenses.lens import IDENTITY as IDENTITY, Lens as Lens, Unfit as Unfit
from mkdyn.domain.lenses.matrix import Reading as Reading
from mkdyn.domain.merged import Merged as Merged
from mkdyn.domain.merger import Merger as Merger, merge as merge
from mkdyn.domain.outcomes import (
    Applied as Applied,
    Create as Create,
    Delete as Delete,
    Outcome as Outcome,
    Rejected as Rejected,
    Stale as Stale,
    Unknown as Unknown,
    Update as Update,
    Write as Write,
)
from mkdyn.domain.plan import (
    Excerpt as Excerpt,
    Operation as Operation,
    OperationKind as OperationKind,
    OperationState as OperationState,
    Plan as Plan,
    Purpose as Purpose,
)
from mkdyn.domain.records import (
    Agreed as Agreed,
    Baseline as Baseline,
    Echo as Echo,
    Key as Key,
    Link as Link,
    LinkState as LinkState,
    Origin as Origin,
    Record as Record,
    Twofold as Twofold,
)
from mkdyn.domain.registry import (
    Candidate as Candidate,
    Eligibility as Eligibility,
    Eligible as Eligible,
    EligibleToMarketo as EligibleToMarketo,
    FieldChanges as FieldChanges,
    NotEligible as NotEligible,
    Pick as Pick,
    eligibility as eligibility,
)
from mkdyn.domain.rules import Promotion as Promotion, Rules as Rules
from mkdyn.domain.schema import ChangeKind as ChangeKind, SchemaChange as SchemaChange
from mkdyn.domain.selection_file import picks_from_toml as picks_from_toml, picks_to_toml as picks_to_toml
from mkdyn.domain.systems import System as System
from mkdyn.domain.types import FieldType as FieldType
from mkdyn.domain.values import (
    MISSING as MISSING,
    FieldValue as FieldValue,
    Missing as Missing,
    Shown as Shown,
    Values as Values,
)
