"""How the documentation is built: Markdown pages by hand, the reference from docstrings."""

from importlib import import_module
from importlib.metadata import version as installed_version

from sphinx.application import Sphinx

project = "mkdyn"
author = "The mkdyn authors"
copyright = "2026, The mkdyn authors"
release = installed_version("mkdyn")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
default_role = "code"  # docstrings say `name`, as Markdown does
nitpicky = True
# Names of other projects are not looked up, so that the build needs no network; each of ours must be found.
nitpick_ignore_regex = [(r"py:.*", r"(?!mkdyn\b).*")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"mkdyn {release}"

#: Where users import from, the first place first. A name lent in two of them is described in the first alone.
PUBLIC = ("mkdyn", "mkdyn.ports", "mkdyn.testing", "mkdyn.domain", "mkdyn.errors")


def described_before(app: Sphinx, what: str, name: str, _value: object, _skip: bool, _options: object) -> bool | None:
    """Leave a name out of the page of a module when one before it in `PUBLIC` lends the same."""
    module = app.env.current_document.autodoc_module
    if what != "module" or module not in PUBLIC:
        return None
    earlier = PUBLIC[: PUBLIC.index(module)]
    return True if any(name in getattr(import_module(place), "__all__", ()) for place in earlier) else None


def setup(app: Sphinx) -> None:
    """Have `described_before` asked about every name."""
    app.connect("autodoc-skip-member", described_before)
