"""Frozen classes, made in a quarter of the time, where several are made of every record.

A call of a class goes through a dictionary of its arguments, and a frozen one sets its attributes in a roundabout
way, since the short one is closed. A maker fills an instance while it is of a twin that is open, and closes it then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, ParamSpec, TypeVar

import attrs

P = ParamSpec("P")
T = TypeVar("T")

_OPEN: Final = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}


def maker(cls: Callable[P, T]) -> Callable[P, T]:
    """Return a function that makes instances as *cls* does, with the same arguments.

    Args:
        cls: A frozen class of attrs with slots, all of whose public attributes are given, and taken as they are.
    """
    made: Any = cls
    names: dict[str, Any] = {"_NOTHING": attrs.NOTHING}
    arguments: list[str] = []
    values: dict[str, str] = {}
    for field in sorted(attrs.fields(made), key=lambda field: field.kw_only):
        name, default = field.name, field.default
        if field.kw_only and "*" not in arguments:
            arguments.append("*")
        values[name] = name
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            names[f"_make_{name}"] = default.factory
            arguments.append(f"{name}=_NOTHING")
            values[name] = f"_make_{name}() if {name} is _NOTHING else {name}"
        else:
            names[f"_default_{name}"] = default
            arguments.append(name if default is attrs.NOTHING else f"{name}=_default_{name}")
    make: Callable[P, T] = _filling(made, arguments, values, names)
    return make


def changer(cls: type[T]) -> Callable[..., T]:
    """Return a function that makes an instance like another one, but for what is named: `attrs.evolve`, and faster.

    Args:
        cls: As for `maker`.
    """
    made: Any = cls
    names = [field.name for field in attrs.fields(made)]
    arguments = ["_before", "/", "*", *(f"{name}=_NOTHING" for name in names)]
    values = {name: f"_before.{name} if {name} is _NOTHING else {name}" for name in names}
    change: Callable[..., T] = _filling(made, arguments, values, {"_NOTHING": attrs.NOTHING})
    return change


def _filling(made: Any, arguments: Sequence[str], values: Mapping[str, str], names: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever is made
    """Return a function with these arguments that fills an instance with these values, and closes it."""
    names["_new"] = object.__new__
    # Of the same layout, or Python would not let an instance go over to its class.
    names["_Twin"] = type(made.__name__, (made,), {"__slots__": (), **_OPEN})
    names["_made"] = made
    steps = [f"it.{name} = {value}" for name, value in values.items()]
    lines = [f"def make({', '.join(arguments)}):", "it = _new(_Twin)", *steps, "it.__class__ = _made", "return it"]
    exec("\n    ".join(lines), names)  # noqa: S102 - of names that are attributes; attrs makes `__init__` so, too
    return names["make"]
