"""What a step or a property reads on its way: variables, values, and the text that names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from ..base.source import NOWHERE, Span
from ..check.story import value_text, variable_name
from ..ir import ops as o
from ..link.overlay import source_line
from ..machine.forget import is_shadow
from ..machine.model import Machine
from ..machine.nodes import Node
from ..run.interp import Fault, Interpreter


@dataclass(frozen=True, slots=True)
class Read:
    """One variable that was read: its name, its value as text, the expression that names it."""

    name: str
    value: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Asked:
    """A property where it was asked.

    :param holds: its truth there
    :param text: the sub-expression that decided
    :param reads: what it read, in order
    """

    property: str
    holds: bool
    text: str
    reads: tuple[Read, ...]
    span: Span


@cache
def text_of(span: Span) -> str:
    """The source text that ``span`` marks, on its line."""
    line = source_line(span) or ""
    text = line[span.col - 1 : span.col - 1 + span.length].strip()
    return text.removeprefix("return ").strip()


class Reader:
    """Follows a way through the nodes of a graph and tells what was read."""

    def __init__(self, m: Machine, interp: Interpreter) -> None:
        self.m, self.interp = m, interp
        self._names: dict[tuple[str, int], str] = {}

    def along(
        self,
        st: list[int],
        loc: dict[str, int],
        cpu: int,
        cur: int,
        nodes: Sequence[int],
        choices: Sequence[int],
    ) -> Iterable[tuple[Node, Read | None, int | None]]:
        """Each node with what it read, and the value of its condition where it has one."""
        left = iter(choices)
        for i in nodes:
            node = self.m.graph.nodes[i]
            op, run = node.op, self.interp.ops[i]
            read: Read | None = None
            value: int | None = None
            try:
                if isinstance(op, o.Choose):
                    loc[op.dst] = next(left)
                elif isinstance(op, o.Check | o.Assume | o.Branch):
                    value = self.interp.value(op.cond, st, loc, cpu, cur)
                elif isinstance(op, o.Load | o.Store | o.Fresh | o.Assign) and run is not None:
                    # The load may overwrite what names its place.
                    at = self._element(op, st, loc, cpu, cur)
                    run(st, loc, cpu, cur)
                    if at is not None and isinstance(op, o.Load):
                        read = self._read(op, at, loc[op.dst])
                    if isinstance(op, o.Assign):
                        value = loc.get(op.dst)
            except (Fault, StopIteration):
                return
            yield node, read, value

    def _element(
        self, op: object, st: list[int], loc: dict[str, int], cpu: int, cur: int
    ) -> int | None:
        """The element that a load reads, of a variable that is part of the state."""
        if not isinstance(op, o.Load) or op.place.var not in self.m.var_at:
            return None
        if is_shadow(op.place.var):
            return None
        return self.interp.element(op.place, st, loc, cpu, cur)

    def _read(self, op: o.Load, at: int, value: int) -> Read:
        var = op.place.var
        name = self._names.get((var, at)) or variable_name(self.m, var, at)
        self._names[var, at] = name
        return Read(name, value_text(self.m, var, value), text_of(op.span), op.span)

    def asked(
        self,
        st: list[int],
        loc: dict[str, int],
        cpu: int,
        cur: int,
        nodes: Sequence[int],
        choices: Sequence[int],
        alone: str = "",
    ) -> list[Asked]:
        """The properties that were asked on the way, each with its truth.

        :param alone: the one whose text this way is: it holds where its end has nothing to check
        """
        out: list[Asked] = []
        reads: dict[str, list[Read]] = {}
        last: dict[str, Span] = {}
        for node, read, value in self.along(st, loc, cpu, cur, nodes, choices):
            for fn in node.stack:
                if read is not None:
                    reads.setdefault(fn, []).append(read)
            if isinstance(node.op, o.Branch | o.Assign):
                last[node.stack[-1]] = node.op.span
            if isinstance(node.op, o.Check) and value is not None:
                hook = node.op.prop.replace("-", "_")
                span = last.pop(hook, node.op.span)
                # A hook's own first line: what it says was known when the program was linked.
                text = text_of(span) if span.length > 1 else ""
                got = tuple(dict.fromkeys(reads.pop(hook, ())))
                out.append(Asked(node.op.prop, bool(value), text, got, span))
        hook = alone.replace("-", "_")
        out = [a for a in out if alone in ("", a.property)]
        if alone and not out:
            end = last.get(hook)
            got = tuple(dict.fromkeys(reads.get(hook, ())))
            out.append(Asked(alone, True, text_of(end) if end else "", got, end or NOWHERE))
        return out
