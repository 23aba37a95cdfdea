"""Which nodes the steps passed: one bit per segment, set on the way, kept per entry.

A segment is what is passed together, from a leader on. Segments that one entry can reach have bits
of their own; others share. So a step costs one instruction a segment, and no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .shape import Item, Leave, Next, Shape

MASK_BITS = 64


def items_below(s: Shape, entries: Sequence[int]) -> list[Item]:
    """Every item that a step from one of ``entries`` can pass, in a fixed order."""
    seen: dict[Item, None] = {}
    todo: list[Next] = [Item(e, False) for e in reversed(entries)]
    while todo:
        it = todo.pop()
        if isinstance(it, Leave) or it in seen:
            continue
        seen[it] = None
        todo += reversed(s.next[it])
    return list(seen)


class Cover:
    """The segments of all entries and their bits.

    :param may_end: whether a step can end right after a node although that has one way on
    """

    def __init__(self, s: Shape, entries: list[int], may_end: Callable[[int], bool]) -> None:
        self.shape, self.entries = s, entries
        self.leaders = self._leaders(may_end)
        self.bit: dict[Item, int] = {}
        self.at: list[dict[int, Item]] = [{} for _ in entries]
        below = [[x for x in items_below(s, [e]) if x in self.leaders] for e in entries]
        where: dict[Item, list[int]] = {}
        for e, row in enumerate(below):
            for x in row:
                where.setdefault(x, []).append(e)
        used = [0] * len(entries)
        for x, rows in where.items():
            taken = 0
            for e in rows:
                taken |= used[e]
            bit = (~taken & (taken + 1)).bit_length() - 1
            self.bit[x] = bit
            for e in rows:
                used[e] |= 1 << bit
                self.at[e][bit] = x
        self.masks = 1 + max(self.bit.values(), default=0) // MASK_BITS

    def _leaders(self, may_end: Callable[[int], bool]) -> set[Item]:
        out = {Item(e, False) for e in self.entries}
        for it in items_below(self.shape, self.entries):
            nexts = self.shape.next[it]
            if len(nexts) > 1 or may_end(it.node):
                out.update(x for x in nexts if isinstance(x, Item))
        return out

    def nodes(self, leader: Item) -> list[int]:
        """The nodes of the segment that begins with ``leader``."""
        out, at = [], leader
        while True:
            out.append(at.node)
            nexts = self.shape.next[at]
            if len(nexts) != 1 or not isinstance(nexts[0], Item) or nexts[0] in self.leaders:
                return out
            at = nexts[0]

    def passed(self, seen: Sequence[int]) -> set[int]:
        """The nodes that were passed.

        :param seen: the bits set, ``masks`` numbers for each entry
        """
        leaders: dict[Item, None] = {}
        for e, row in enumerate(self.at):
            for bit, x in row.items():
                if seen[e * self.masks + bit // MASK_BITS] >> bit % MASK_BITS & 1:
                    leaders[x] = None
        return {n for x in leaders for n in self.nodes(x)}
