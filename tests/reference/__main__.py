"""Write the tables of the reference anew: `python -m tests.reference`."""

from __future__ import annotations

from .matrix import created, matrix
from .pages import replace

replace("types.md", "matrix", matrix())
replace("types.md", "created", created())
