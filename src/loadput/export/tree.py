"""One step as a decision tree: conditions on the state, free choices, and what is written."""

from __future__ import annotations

from dataclasses import dataclass

from .expr import E, Exprs, Range, reads_of


@dataclass(frozen=True, slots=True)
class Write:
    """Element ``index`` of variable ``name`` becomes ``value``; both as before the step."""

    name: str
    index: E
    value: E


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """The step ends: everything is written at once. ``bad``: it violates what is asked."""

    writes: tuple[Write, ...]
    bad: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Stop:
    """There is no next state: the step waits, or execution cannot go on."""


@dataclass(frozen=True, slots=True, eq=False)
class Cond:
    """``yes`` where ``cond`` is true, else ``no``."""

    cond: E
    yes: Tree
    no: Tree


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """Any value from ``lo`` to ``hi``: ``subs[i]`` for ``first + i``."""

    lo: E
    hi: E
    first: int
    subs: tuple[Tree, ...]
    why: str


Tree = Leaf | Stop | Cond | Pick


class TooManyWays(Exception):
    """A step has more ways through it than are to be written."""


class Trees:
    """Makes trees, each distinct one once.

    :ivar left: how many nodes may still be simplified; each is one of what is written
    """

    def __init__(self, x: Exprs) -> None:
        self.x = x
        self._known: dict[object, Tree] = {}
        self._taken: dict[tuple[Tree, tuple[int, ...]], Tree] = {}
        self._choices: dict[Tree, dict[tuple[int, ...], tuple[str, ...]]] = {}
        self.left = 0
        self.stop = Stop()

    def leaf(self, writes: tuple[Write, ...], bad: bool = False) -> Tree:
        """The end of a step."""
        return self._known.setdefault((writes, bad), Leaf(writes, bad))

    def cond(self, c: E, yes: Tree, no: Tree) -> Tree:
        """A decision; none where both ways are one, or where ``c`` is fixed."""
        if c.op == "const":
            return yes if c.value else no
        if yes is no:
            return yes
        if c.op == "ne":
            c, yes, no = self.x.bin("eq", *c.args), no, yes
        return self._known.setdefault((c, yes, no), Cond(c, yes, no))

    def pick(self, lo: E, hi: E, first: int, subs: tuple[Tree, ...], why: str) -> Tree:
        """A free choice."""
        return self._known.setdefault((lo, hi, subs), Pick(lo, hi, first, subs, why))

    def choices(self, t: Tree) -> dict[tuple[int, ...], tuple[str, ...]]:
        """Every row of choices that ends a step somewhere in ``t``, with what decides each."""
        if t not in self._choices:
            self._choices[t] = self._rows(t)
        return self._choices[t]

    def _rows(self, t: Tree) -> dict[tuple[int, ...], tuple[str, ...]]:
        if isinstance(t, Leaf):
            return {(): ()}
        if isinstance(t, Cond):
            return {**self.choices(t.yes), **self.choices(t.no)}
        if isinstance(t, Pick):
            return {
                (t.first + i, *row): (t.why, *whys)
                for i, sub in enumerate(t.subs)
                for row, whys in self.choices(sub).items()
            }
        return {}

    def take(self, t: Tree, row: tuple[int, ...]) -> Tree:
        """``t`` with its choices made as in ``row``; ends that need fewer or more are no ends."""
        if (t, row) not in self._taken:
            self._taken[t, row] = self._take(t, row)
        return self._taken[t, row]

    def _take(self, t: Tree, row: tuple[int, ...]) -> Tree:
        if isinstance(t, Cond):
            return self.cond(t.cond, self.take(t.yes, row), self.take(t.no, row))
        if isinstance(t, Pick):
            if not row or not t.first <= row[0] < t.first + len(t.subs):
                return self.stop
            value = self.x.const(row[0])
            inside = self.x.all(self.x.bin("le", t.lo, value), self.x.bin("le", value, t.hi))
            return self.cond(inside, self.take(t.subs[row[0] - t.first], row[1:]), self.stop)
        return self.stop if row else t

    def simplify(self, t: Tree, facts: dict[E, Range]) -> Tree:
        """``t`` without what the conditions on the way decide already; TooManyWays."""
        self.left -= 1
        if self.left < 0:
            raise TooManyWays
        if isinstance(t, Leaf):
            return self.leaf(self._writes(t.writes, facts), t.bad)
        if not isinstance(t, Cond):
            return t
        known = self.x.decide(t.cond, facts)
        if known is not None:
            return self.simplify(t.yes if known else t.no, facts)
        yes = self.simplify(t.yes, self.x.learn(t.cond, True, facts))
        no = self.simplify(t.no, self.x.learn(t.cond, False, facts))
        return self.cond(self.x.simplify(t.cond, facts), yes, no)

    def _writes(self, writes: tuple[Write, ...], facts: dict[E, Range]) -> tuple[Write, ...]:
        out: list[Write] = []
        for w in writes:
            w = Write(w.name, self.x.simplify(w.index, facts), self.x.simplify(w.value, facts))
            old = w.value.op == "read" and w.value.name == w.name and w.value.args[0] is w.index
            out = [v for v in out if v.name != w.name or v.index is not w.index]
            if not old or any(v.name == w.name for v in out):
                out.append(w)
        return tuple(out)

    def formula(self, t: Tree, *, bad: bool = False) -> E:
        """Where ``t`` reaches an end; ``bad``: one that violates."""
        if isinstance(t, Leaf):
            return self.x.const(int(t.bad or not bad))
        if not isinstance(t, Cond):
            return self.x.zero
        x, c = self.x, t.cond
        yes, no = self.formula(t.yes, bad=bad), self.formula(t.no, bad=bad)
        neg = x.un("not", c)
        if yes is no:
            return yes
        if yes is x.one:
            return x.any(c, no)
        if no is x.one:
            return x.any(neg, yes)
        if yes is x.zero:
            return x.all(neg, no)
        if no is x.zero:
            return x.all(c, yes)
        return x.ite(c, yes, no)


def sequence(x: Exprs, writes: tuple[Write, ...]) -> list[tuple[str, Write | E]]:
    """The writes one after the other, none reading what one before it wrote.

    Where they need each other, values are kept in temporaries first: ("t0", value).
    """
    todo = list(writes)
    out: list[tuple[str, Write | E]] = []
    kept: list[tuple[str, Write | E]] = []
    while todo:
        free = next((w for w in todo if _can_go(w, todo)), None)
        if free is None:
            names = {v.name for v in todo}
            at = next(
                i for i, v in enumerate(todo) if (reads_of(v.value) | reads_of(v.index)) & names
            )
            w = todo[at]
            index, value = w.index, w.value
            if reads_of(value) & names:
                kept.append((f"t{len(kept)}", value))
                value = x.named(kept[-1][0], (value.lo, value.hi))
            if reads_of(index) & names:
                kept.append((f"t{len(kept)}", index))
                index = x.named(kept[-1][0], (index.lo, index.hi))
            todo[at] = Write(w.name, index, value)
            continue
        todo.remove(free)
        out.append(("", free))
    return kept + out


def _can_go(w: Write, todo: list[Write]) -> bool:
    """Whether nothing that is still to be written reads what ``w`` writes or precedes it there."""
    for v in todo:
        if v is w:
            continue
        if _reads_cell(v.index, w) or _reads_cell(v.value, w):
            return False
        if v.name == w.name and todo.index(v) < todo.index(w):
            return False
    return True


def _reads_cell(e: E, w: Write) -> bool:
    """Whether ``e`` reads, or may read, the element that ``w`` writes."""
    if e.op == "read" and e.name == w.name:
        i = e.args[0]
        if not (i.op == w.index.op == "const" and i is not w.index):
            return True
    return any(_reads_cell(a, w) for a in e.args)
