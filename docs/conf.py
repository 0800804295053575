"""How the documentation is built: Markdown pages by hand, the reference from docstrings."""

from importlib import import_module
from importlib.metadata import version as installed_version

from docutils import nodes
from docutils.nodes import TextElement
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

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
nitpick_ignore_regex = [
    (r"py:.*", r"(?!mkdyn\b).*"),
    (r"py:.*", r"mkdyn\..*\.T(_co)?"),  # type variables
    (r"py:.*", r"mkdyn\.domain\.plan\.Step"),  # the engine's own note in an operation; nobody else reads it
]
suppress_warnings = ["ref.python"]  # some events have an attribute `object`, so Python's own is found many times

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"mkdyn {release}"
html_static_path = ["_static"]
html_css_files = ["mkdyn.css"]

#: Where users import from, the first place first. A name lent in two of them is described in the first alone.
PUBLIC = ("mkdyn", "mkdyn.ports", "mkdyn.testing", "mkdyn.testing.contracts", "mkdyn.domain", "mkdyn.errors")


def lent_by(place: str) -> list[str]:
    """The names a module lends: what its `__all__` says, or else what it re-exports, the late ones included."""
    module = import_module(place)
    if hasattr(module, "__all__"):
        return list(module.__all__)
    ours = {name for name, value in vars(module).items() if getattr(value, "__module__", "").startswith("mkdyn.")}
    return sorted({name for name in (*ours, *getattr(module, "_LATE", ())) if not name.startswith("_")})


LENT = {place: lent_by(place) for place in PUBLIC}
#: Where each thing is described, by the name it has where it is defined.
DESCRIBED = {
    f"{thing.__module__}.{thing.__qualname__}": f"{place}.{name}"
    for place in reversed(PUBLIC)
    for name in LENT[place]
    if hasattr(thing := getattr(import_module(place), name), "__qualname__")
}


def described_before(app: Sphinx, what: str, name: str, _value: object, _skip: bool, _options: object) -> bool | None:
    """Leave a name out of the page of a module when one before it in `PUBLIC` lends the same."""
    module = app.env.current_document.autodoc_module
    if what != "module" or module not in PUBLIC:
        return None
    earlier = PUBLIC[: PUBLIC.index(module)]
    return True if any(name in LENT[place] for place in earlier) else None


def as_markdown(_app: Sphinx, _what: str, _name: str, _value: object, _options: object, lines: list[str]) -> None:
    """Show an indented block of a docstring as it stands, as Markdown does."""
    for place in range(len(lines) - 1, 1, -1):
        opens = lines[place].startswith("    ") and not lines[place - 1] and not lines[place - 2].startswith(" ")
        if opens and lines[place - 2] and not lines[place - 2].endswith("::"):
            lines[place:place] = ["::", ""]


def where_described(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: TextElement
) -> nodes.reference | None:
    """Lead a name of where something is defined to the place it is lent by."""
    target = DESCRIBED.get(node.get("reftarget", ""))
    if target is None or node.get("refdomain") != "py":
        return None
    return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)


def setup(app: Sphinx) -> None:
    """Have the above asked about every name, docstring and reference."""
    for place in PUBLIC:
        import_module(place).__all__ = LENT[place]  # autodoc describes re-exports only where `__all__` names them
    app.connect("autodoc-skip-member", described_before)
    app.connect("autodoc-process-docstring", as_markdown, priority=400)  # before napoleon
    app.connect("missing-reference", where_described)
