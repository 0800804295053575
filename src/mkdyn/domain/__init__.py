"""The rules alone: no input, no output, no clock.

Read in this order: `systems`, `entities` and `directions` say who is who and who may write
where; `values`, `fields`, `records` and `feeds` are the nouns; `merge` is the heart, with
`collisions` deciding who wins and `evidence` telling our own writes from other people's;
`lifecycle` decides what becomes of a link; `plan`, `guards`, `outcomes` and `holds` are what
comes out.
"""

from mkdyn.domain.collisions import Ask as Ask
from mkdyn.domain.collisions import Collision as Collision
from mkdyn.domain.collisions import Policy as Policy
from mkdyn.domain.collisions import Resolution as Resolution
from mkdyn.domain.collisions import ResolutionKind as ResolutionKind
from mkdyn.domain.collisions import ValueDisplay as ValueDisplay
from mkdyn.domain.collisions import Verdict as Verdict
from mkdyn.domain.collisions import Win as Win
from mkdyn.domain.collisions import resolve as resolve
from mkdyn.domain.collisions import system_of_record as system_of_record
from mkdyn.domain.conditions import Condition as Condition
from mkdyn.domain.conditions import Ordered as Ordered
from mkdyn.domain.conditions import Where as Where
from mkdyn.domain.conditions import where as where
from mkdyn.domain.directions import Direction as Direction
from mkdyn.domain.directions import direction_of as direction_of
from mkdyn.domain.directions import may_create_field as may_create_field
from mkdyn.domain.entities import AnyEntity as AnyEntity
from mkdyn.domain.entities import CustomEntity as CustomEntity
from mkdyn.domain.entities import Entity as Entity
from mkdyn.domain.entities import PersonEntity as PersonEntity
from mkdyn.domain.entities import is_person as is_person
from mkdyn.domain.feeds import Cursor as Cursor
from mkdyn.domain.feeds import Entry as Entry
from mkdyn.domain.feeds import Evidence as Evidence
from mkdyn.domain.feeds import Page as Page
from mkdyn.domain.fields import FieldPair as FieldPair
from mkdyn.domain.fields import FieldSpec as FieldSpec
from mkdyn.domain.fields import FieldType as FieldType
from mkdyn.domain.fields import NewField as NewField
from mkdyn.domain.fields import PairState as PairState
from mkdyn.domain.guards import Breach as Breach
from mkdyn.domain.guards import Guard as Guard
from mkdyn.domain.guards import Guards as Guards
from mkdyn.domain.holds import Hold as Hold
from mkdyn.domain.holds import Quarantined as Quarantined
from mkdyn.domain.holds import Wake as Wake
from mkdyn.domain.merge import Merged as Merged
from mkdyn.domain.merge import Merger as Merger
from mkdyn.domain.merge import merge as merge
from mkdyn.domain.outcomes import Applied as Applied
from mkdyn.domain.outcomes import Create as Create
from mkdyn.domain.outcomes import Delete as Delete
from mkdyn.domain.outcomes import Outcome as Outcome
from mkdyn.domain.outcomes import Rejected as Rejected
from mkdyn.domain.outcomes import Stale as Stale
from mkdyn.domain.outcomes import Unknown as Unknown
from mkdyn.domain.outcomes import Update as Update
from mkdyn.domain.outcomes import Write as Write
from mkdyn.domain.plan import Counts as Counts
from mkdyn.domain.plan import Excerpt as Excerpt
from mkdyn.domain.plan import MatchReport as MatchReport
from mkdyn.domain.plan import Operation as Operation
from mkdyn.domain.plan import OperationKind as OperationKind
from mkdyn.domain.plan import OperationState as OperationState
from mkdyn.domain.plan import Plan as Plan
from mkdyn.domain.plan import Purpose as Purpose
from mkdyn.domain.records import Agreed as Agreed
from mkdyn.domain.records import Baseline as Baseline
from mkdyn.domain.records import Echo as Echo
from mkdyn.domain.records import Key as Key
from mkdyn.domain.records import Link as Link
from mkdyn.domain.records import LinkState as LinkState
from mkdyn.domain.records import Origin as Origin
from mkdyn.domain.records import Record as Record
from mkdyn.domain.records import Twofold as Twofold
from mkdyn.domain.registry import Candidate as Candidate
from mkdyn.domain.registry import Eligibility as Eligibility
from mkdyn.domain.registry import Eligible as Eligible
from mkdyn.domain.registry import EligibleToMarketo as EligibleToMarketo
from mkdyn.domain.registry import FieldChanges as FieldChanges
from mkdyn.domain.registry import NotEligible as NotEligible
from mkdyn.domain.registry import Pick as Pick
from mkdyn.domain.registry import eligibility as eligibility
from mkdyn.domain.rules import Promotion as Promotion
from mkdyn.domain.rules import Rules as Rules
from mkdyn.domain.systems import System as System
from mkdyn.domain.values import IDENTITY as IDENTITY
from mkdyn.domain.values import MISSING as MISSING
from mkdyn.domain.values import FieldValue as FieldValue
from mkdyn.domain.values import Lens as Lens
from mkdyn.domain.values import Missing as Missing
from mkdyn.domain.values import Shown as Shown
from mkdyn.domain.values import Unfit as Unfit
from mkdyn.domain.values import Values as Values
