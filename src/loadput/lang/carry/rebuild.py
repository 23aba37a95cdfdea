"""The specification's function with edits laid on: what is deleted, put in, put under a test."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...base.source import Span
from .. import syntax as s


@dataclass(eq=False, slots=True)
class Wrap:
    """A test that is put around statements in a row."""

    test: s.Expr
    span: Span


Under = tuple[tuple[Wrap, str], ...]  # the tests around an item from outside in, with their branch
Item = tuple[Under, s.Stmt]


@dataclass(slots=True)
class Changes:
    """What is done to a function's statements, by the identity of each."""

    deleted: set[int] = field(default_factory=set)
    before: dict[int, list[Item]] = field(default_factory=dict)
    after: dict[int, list[Item]] = field(default_factory=dict)
    at_end: dict[tuple[int, str], list[Item]] = field(default_factory=dict)
    at_start: dict[tuple[int, str], list[Item]] = field(default_factory=dict)
    test: dict[int, s.Expr] = field(default_factory=dict)
    instead: dict[int, tuple[s.Stmt, ...]] = field(default_factory=dict)
    opened: dict[int, str] = field(default_factory=dict)
    under: dict[int, Under] = field(default_factory=dict)

    def lay(self, d: s.Def, where: str) -> s.Def:
        """``d`` with all of it done; the same object where nothing is.

        :param where: the name of its outermost block
        """
        body = self._block(d.body, 0, where)
        return d if body == d.body else dataclasses.replace(d, body=body)

    def _block(self, body: Sequence[s.Stmt], owner: int, branch: str) -> tuple[s.Stmt, ...]:
        items = list(self.at_start.get((owner, branch), ()))
        for st in body:
            items += self.before.get(id(st), ())
            if id(st) not in self.deleted:
                around = self.under.get(id(st), ())
                items += [(around, x) for x in self._stmt(st)]
            items += self.after.get(id(st), ())
        items += self.at_end.get((owner, branch), ())
        return _nest(items, 0)

    def _stmt(self, st: s.Stmt) -> tuple[s.Stmt, ...]:
        if id(st) in self.instead:
            return self.instead[id(st)]
        if id(st) in self.opened:
            assert isinstance(st, s.If)
            kept = st.then if self.opened[id(st)] == "then" else st.other
            return self._block(kept, id(st), self.opened[id(st)])
        test = self.test.get(id(st))
        if isinstance(st, s.If):
            then = self._block(st.then, id(st), "then")
            other = self._block(st.other, id(st), "else")
            new: s.Stmt = dataclasses.replace(st, cond=test or st.cond, then=then, other=other)
        elif isinstance(st, s.While | s.For):
            body = self._block(st.body, id(st), "loop")
            new = dataclasses.replace(st, body=body)
            if test is not None:
                new = dataclasses.replace(new, cond=test)
        elif isinstance(st, s.AtomicStmt | s.Group | s.ForeignStmt):
            new = dataclasses.replace(st, body=self._block(st.body, id(st), "root"))
            if st.body and not new.body:
                return ()
        else:
            return (st,)
        return (st,) if new == st else (new,)


def _nest(items: Sequence[Item], depth: int) -> tuple[s.Stmt, ...]:
    """Items in a row that stand under the same test become one ``if``."""
    out: list[s.Stmt] = []
    i = 0
    while i < len(items):
        under, st = items[i]
        if len(under) <= depth:
            out.append(st)
            i += 1
            continue
        wrap = under[depth][0]
        group = []
        while i < len(items) and len(items[i][0]) > depth and items[i][0][depth][0] is wrap:
            group.append(items[i])
            i += 1
        then, other = (
            _nest([g for g in group if g[0][depth][1] == b], depth + 1) for b in ("then", "else")
        )
        out.append(s.If(wrap.test, then, other, wrap.span))
    return tuple(out)
