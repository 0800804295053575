"""The only code that sends: requests and answers as values of ours, one `Http` for each host."""

from mkdyn.adapters.http.messages import Request as Request, Response as Response
from mkdyn.adapters.http.sending import Http as Http
