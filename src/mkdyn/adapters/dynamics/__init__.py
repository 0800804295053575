"""Dynamics 365 over its Web API.

Read in this order: `table` is what the connector knows of a table, `metadata` how it is told;
`odata` and `values` are names, literals and values on the wire; `requests` and `responses` are
every question and answer, `batch` many of them in one, `writes` what a write becomes; `codes`
is the table of errors, `refusals` what they come to. None of these sends anything.

`line` sends, `auth` has the token, `pace` keeps Dynamics' limits, `client` asks with all three;
`catalog` keeps what tables there are, `reading`, `feed` (or `polling`, where changes
are not tracked) and `writing` are a connector's work, and
`connector` is its face.
"""

from mkdyn.adapters.dynamics.auth import ClientCredentials as ClientCredentials, TokenFunction as TokenFunction
from mkdyn.adapters.dynamics.connector import RestDynamics as RestDynamics
from mkdyn.adapters.dynamics.pace import DynamicsLimits as DynamicsLimits
from mkdyn.adapters.dynamics.polling import Polling as Polling
