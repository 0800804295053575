"""What mkdyn asks of the world: protocols whose docstrings are contracts.

Read `connectors` to write a connector, `observer` to watch runs, `store` to keep the
state elsewhere.
"""

from mkdyn.ports.connectors import Connector as Connector
from mkdyn.ports.connectors import DynamicsConnector as DynamicsConnector
from mkdyn.ports.connectors import Identity as Identity
from mkdyn.ports.connectors import MarketoConnector as MarketoConnector
from mkdyn.ports.connectors import Pages as Pages
from mkdyn.ports.connectors import Problem as Problem
from mkdyn.ports.observer import BackfillProgressed as BackfillProgressed
from mkdyn.ports.observer import BatchWritten as BatchWritten
from mkdyn.ports.observer import CursorExpired as CursorExpired
from mkdyn.ports.observer import Event as Event
from mkdyn.ports.observer import Fact as Fact
from mkdyn.ports.observer import FeedFailed as FeedFailed
from mkdyn.ports.observer import Level as Level
from mkdyn.ports.observer import Observer as Observer
from mkdyn.ports.observer import PageGathered as PageGathered
from mkdyn.ports.observer import Planned as Planned
from mkdyn.ports.observer import RunFinished as RunFinished
from mkdyn.ports.observer import RunStarted as RunStarted
from mkdyn.ports.store import Answer as Answer
from mkdyn.ports.store import Observation as Observation
from mkdyn.ports.store import RunEnd as RunEnd
from mkdyn.ports.store import RunRow as RunRow
from mkdyn.ports.store import SelectedPair as SelectedPair
from mkdyn.ports.store import StateStore as StateStore
