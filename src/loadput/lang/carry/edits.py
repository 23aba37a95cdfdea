"""What a patch does to one function: its C before against its C after, as edits of statements."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from .align import Pairs, align, pair_cost
from .nodes import Node

ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"
WRAPPED, UNWRAPPED = "put under a condition", "no longer under a condition"
BACK = {
    **{ADDED: REMOVED, REMOVED: ADDED, CHANGED: CHANGED, MOVED: MOVED},
    **{WRAPPED: UNWRAPPED, UNWRAPPED: WRAPPED},
}
EFFECT = ("c:", "w:")
WAYS = frozenset(("if", "loop", "switch", "case", "jump", "label", "ret"))
MAX_CELLS = 250_000  # nodes times nodes that are aligned as trees; larger ones row by row


@dataclass(slots=True)
class Edit:
    """One edit.

    :param before: what it was, in the C before; None where it was not there
    :param after: what it is, in the C after; None where it is gone
    :param place: ``file:line`` in what the user gave
    """

    kind: str
    before: Node | None
    after: Node | None
    place: str = ""

    def back(self) -> Edit:
        """The edit that undoes it."""
        return Edit(BACK[self.kind], self.after, self.before, self.place)

    @property
    def way(self) -> str:
        """The test, jump or return that it is about; "" for what decides nothing."""
        for n in (self.after, self.before):
            if n is not None and n.kind in WAYS:
                return n.key.partition("\n")[0]
        return ""

    @property
    def brings(self) -> list[str]:
        """What it calls and writes and did not before; of a call that has changed, the call.

        Of a statement that has no meaning here, its first word.
        """
        if self.after is None:
            return []
        old = {f for n in (self.before.walk() if self.before else ()) for f in n.effects}
        now = list(dict.fromkeys(f for n in self.after.walk() for f in n.feats if f[:2] in EFFECT))
        fresh = [f for f in now if f not in old] or (now if self.kind == CHANGED else [])
        told = [f"{f[2:]}()" if f.startswith("c:") else f[2:] for f in fresh]
        opaque = [
            n.key.split()[0].partition("(")[0] for n in self.after.walk() if n.kind == "opaque"
        ]
        return told + opaque


@dataclass(slots=True)
class Difference:
    """Two bodies of one function: which node is which, and the edits, in the order of the text."""

    before: Node
    after: Node
    to_after: dict[Node, Node] = field(default_factory=dict)
    to_before: dict[Node, Node] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)


def find_edits(before: Node, after: Node) -> Difference:
    """Return the edits that turn the tree ``before`` into ``after``."""
    out = Difference(before, after)
    pairs: Pairs = [(before, after)]
    _match(before.kids, after.kids, pairs)
    out.to_after = dict(pairs)
    out.to_before = {a: b for b, a in pairs}
    _collect(out)
    _find_tests(out)
    _find_moves(out)
    return out


def _cost(a: Node, b: Node) -> float | None:
    if a.kind == b.kind and a.key == b.key:
        return 0.0
    base = pair_cost(a, b)
    return None if base is None else base + 0.2


def _match(a: list[Node], b: list[Node], out: Pairs) -> None:
    """Pair what is equal at both ends, and align the rest as trees."""
    ta, tb = [n.whole() for n in a], [n.whole() for n in b]
    low = 0
    while low < min(len(a), len(b)) and ta[low] == tb[low]:
        low += 1
    high = 0
    while high < min(len(a), len(b)) - low and ta[-1 - high] == tb[-1 - high]:
        high += 1
    for i in [*range(low), *range(-high, 0)]:
        _same(a[i], b[i], out)
    a, b = a[low : len(a) - high], b[low : len(b) - high]
    if not a or not b:
        return
    if len(a) == len(b) == 1 and a[0].kind == b[0].kind and a[0].key == b[0].key:
        out.append((a[0], b[0]))
        _match(a[0].kids, b[0].kids, out)
        return
    between = _anchors(a, b)
    if between:
        i = j = 0
        for x, y in [*between, (len(a), len(b))]:
            _match(a[i:x], b[j:y], out)
            if x < len(a):
                _same(a[x], b[y], out)
            i, j = x + 1, y + 1
    elif _size(a) * _size(b) > MAX_CELLS:
        _by_rows(a, b, out)
    else:
        out += align(a, b, _cost)


def _anchors(a: list[Node], b: list[Node]) -> list[tuple[int, int]]:
    """What stands once on each side, by its number there: the heaviest that are in one order."""
    places: dict[str, tuple[list[int], list[int]]] = {}
    for side, nodes in enumerate((a, b)):
        for i, n in enumerate(nodes):
            places.setdefault(n.whole(), ([], []))[side].append(i)
    both = sorted((x[0], y[0]) for x, y in places.values() if len(x) == len(y) == 1)
    best: list[tuple[float, int]] = []  # the weight of the best that end here; what is before it
    for k, (i, j) in enumerate(both):
        before = max(((best[m][0], m) for m in range(k) if both[m][1] < j), default=(0.0, -1))
        best.append((before[0] + sum(n.weight for n in a[i].walk()), before[1]))
    out = []
    at = max(range(len(both)), key=lambda k: best[k][0], default=-1)
    while at >= 0:
        out.append(both[at])
        at = best[at][1]
    return out[::-1]


def _by_rows(a: list[Node], b: list[Node], out: Pairs) -> None:
    rows = difflib.SequenceMatcher(None, [n.whole() for n in a], [n.whole() for n in b], False)
    for tag, i, k, j, m in rows.get_opcodes():
        if tag == "equal":
            for x, y in zip(a[i:k], b[j:m], strict=True):
                _same(x, y, out)
        elif tag == "replace" and _size(a[i:k]) * _size(b[j:m]) <= MAX_CELLS:
            out += align(a[i:k], b[j:m], _cost)
        elif tag == "replace":
            for x, y in zip(a[i:k], b[j:m], strict=False):
                if _cost(x, y) is not None:
                    out.append((x, y))
                    _match(x.kids, y.kids, out)


def _size(nodes: list[Node]) -> int:
    return sum(1 for n in nodes for _ in n.walk())


def _same(a: Node, b: Node, out: Pairs) -> None:
    out += zip(a.walk(), b.walk(), strict=True)


def _collect(out: Difference) -> None:
    """The edits, each the largest subtree that is wholly new or gone."""
    seen: set[Node] = set()
    for b in out.before.walk():
        if b in seen or b is out.before:
            continue
        a = out.to_after.get(b)
        if a is None:
            if any(k in out.to_after for k in b.walk()):
                if b.kind not in ("then", "else", "case"):
                    out.edits.append(Edit(UNWRAPPED, b, None))
                continue
            seen.update(b.walk())
            out.edits.append(Edit(REMOVED, b, None))
        elif a.key != b.key or a.kind != b.kind:
            out.edits.append(Edit(CHANGED, b, a))
    for a in out.after.walk():
        if a in seen or a in out.to_before:
            continue
        if any(k in out.to_before for k in a.walk()):
            if a.kind not in ("then", "else", "case"):
                out.edits.append(Edit(WRAPPED, None, a))
            continue
        seen.update(a.walk())
        out.edits.append(Edit(ADDED, None, a))


def _find_tests(out: Difference) -> None:
    """A test that is gone, and a new one around all that stood under it: another test."""
    for gone in [e for e in out.edits if e.kind == UNWRAPPED]:
        b = gone.before
        assert b is not None
        was = _held(b, out.to_after)
        for new in [e for e in out.edits if e.kind == WRAPPED]:
            a = new.after
            assert a is not None
            if a.kind != b.kind or not was or was != _held(a, out.to_before, other=True):
                continue
            out.edits.remove(gone)
            at = out.edits.index(new)
            out.edits[at] = Edit(CHANGED, b, a)
            for x, y in ((b, a), *zip(b.kids, a.kids, strict=False)):
                if x.kind == y.kind and x not in out.to_after and y not in out.to_before:
                    out.to_after[x], out.to_before[y] = y, x
            break


def _held(n: Node, pairs: dict[Node, Node], *, other: bool = False) -> list[tuple[str, Node, Node]]:
    """What stands under a test and has a partner, by its block, as (before, after)."""
    found = [(k.kind, x, pairs[x]) for k in n.kids for x in k.walk() if x in pairs]
    return [(kind, y, x) if other else (kind, x, y) for kind, x, y in found]


def _find_moves(out: Difference) -> None:
    """What is gone here and new there with the same text has moved."""
    gone = [e for e in out.edits if e.kind == REMOVED]
    for e in [e for e in out.edits if e.kind == ADDED]:
        assert e.after is not None
        text = e.after.whole()
        was = next((g for g in gone if g.before is not None and g.before.whole() == text), None)
        if was is not None and e.after.kind not in ("then", "else", "case"):
            gone.remove(was)
            out.edits.remove(was)
            e.kind, e.before = MOVED, was.before
