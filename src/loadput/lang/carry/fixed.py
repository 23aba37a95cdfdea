"""Edits of what stands under a test that is fixed here: the specification has nothing there.

A test of the binding table has one value, so that what it never leads to has no part, however much
a patch changes there; and one that is always true is not there at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import syntax as s
from .bind import Bindings, Rule
from .edits import CHANGED, UNWRAPPED, WRAPPED, Edit, find_edits
from .laid import short
from .nodes import Names, Node, tree_of


@dataclass(frozen=True, slots=True)
class _Value:
    """What a test is here, by the first rule that it takes."""

    true: bool
    rule: Rule

    def says(self, n: Node) -> str:
        return f"the specification takes '{short(n)}' for {str(self.true).lower()}: {self.rule.why}"


def never_there(
    before: s.Def, after: s.Def, bindings: Bindings, names: Names
) -> list[tuple[Edit, str]]:
    """The edits from ``before`` to ``after`` that a fixed test hides, each with the reason.

    :param before: in the terms of C, with no test settled; so is ``after``
    """
    trees = tree_of(before, names), tree_of(after, names)
    work = _Fixed(bindings)
    if trees[0].whole() == trees[1].whole() or not any(map(work.has_any, trees)):
        return []
    diff = find_edits(*trees)
    found = [(e, work.why(e)) for e in diff.edits]
    return [(e, why) for e, why in found if why]


class _Fixed:
    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings

    def has_any(self, tree: Node) -> bool:
        """Whether a test in ``tree`` is fixed."""
        return any(self._value(n) is not None for n in tree.walk())

    def why(self, e: Edit) -> str:
        """Why the edit has no part here, or ""."""
        sides = [n for n in (e.before, e.after) if n is not None]
        hidden = [self._hidden(n) for n in sides]
        if all(hidden):
            return hidden[-1]
        values = [self._value(n) for n in sides]
        if e.kind in (WRAPPED, UNWRAPPED) and values[0] is not None:
            return values[0].says(sides[0])
        a, b = values[0], values[-1]
        if e.kind == CHANGED and a is not None and b is not None and a.true == b.true:
            return b.says(sides[-1])
        return ""

    def _hidden(self, n: Node) -> str:
        """The test that never lets ``n`` run, or ""."""
        value = self._value(n)
        if value is not None and not value.true and all(k.kind == "then" for k in n.kids):
            return value.says(n)
        at = n
        for up in n.up():
            value = self._value(up)
            if value is not None and at.kind == ("else" if value.true else "then"):
                return value.says(up)
            at = up
        return ""

    def _value(self, n: Node) -> _Value | None:
        if n.kind != "if" or n.test is None:
            return None
        true, rule = self.bindings.value_of(n.test)
        return None if true is None or rule is None else _Value(true, rule)
