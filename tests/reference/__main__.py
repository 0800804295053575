"""Write the tables of the reference anew: `python -m tests.reference`."""

from __future__ import annotations

from .lifecycle import parts
from .matrix import created, matrix
from .pages import replace

replace("types.md", "matrix", matrix())
replace("types.md", "created", created())
for name, text in parts().items():
    replace("lifecycle.md", name, text)
