"""What mkdyn asks of the world: protocols whose docstrings are contracts.

Read `connectors` to write a connector, `observer` to watch runs, `store` to keep the
state elsewhere.
"""

from mkdyn.ports.connectors import (
    Connector as Connector,
    DynamicsConnector as DynamicsConnector,
    Identity as Identity,
    MarketoConnector as MarketoConnector,
    Pages as Pages,
    Problem as Problem,
    SchemaStamped as SchemaStamped,
)
from mkdyn.ports.observer import (
    BackfillProgressed as BackfillProgressed,
    BatchWritten as BatchWritten,
    CursorExpired as CursorExpired,
    Event as Event,
    Fact as Fact,
    FeedFailed as FeedFailed,
    FilterPassed as FilterPassed,
    LeadConverted as LeadConverted,
    Level as Level,
    Observer as Observer,
    PageGathered as PageGathered,
    PairMissing as PairMissing,
    Planned as Planned,
    RecordsMerged as RecordsMerged,
    RunFinished as RunFinished,
    RunStarted as RunStarted,
    SchemaChanged as SchemaChanged,
)
from mkdyn.ports.store import (
    Answer as Answer,
    Description as Description,
    Observation as Observation,
    RunEnd as RunEnd,
    RunRow as RunRow,
    SelectedPair as SelectedPair,
    StateStore as StateStore,
)
