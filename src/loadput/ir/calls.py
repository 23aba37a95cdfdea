"""Who calls whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import ops as o


def callees(fn: o.Function) -> tuple[str, ...]:
    """The names that ``fn`` calls, each once, in the order of the text."""
    calls = (op.fn for b in fn.blocks for op in b.ops if isinstance(op, o.Call))
    return tuple(dict.fromkeys(calls))


def reach(functions: Mapping[str, o.Function], start: Iterable[str]) -> set[str]:
    """Those of ``start`` that ``functions`` has, and all of it that they call, however far down."""
    found: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        if name in functions and name not in found:
            found.add(name)
            todo += callees(functions[name])
    return found
