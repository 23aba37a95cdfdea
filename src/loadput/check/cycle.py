"""Why a path is not sequentially consistent: the shortest circle of its accesses.

A path is so exactly where the order of each CPU's accesses and who read or overwrote whom make a
circle: D. Shasha and M. Snir, "Efficient and correct execution of parallel programs that share
memory", TOPLAS 10(2), 1988. The accesses of a shortest one are a litmus test of it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise

from .accesses import FENCE, READ, WRITE, Access, Accesses, Cell

NEXT, READ_BY, OVERWRITTEN, BEFORE = "po", "rf", "fr", "co"
"""An access and a later one of its CPU; a write and who read it; a read and who overwrote what it
read; a write and the next to its cell.
"""
Edge = tuple[str, Access]


@dataclass(slots=True)
class Circle:
    """The accesses of a circle, and what orders two of one CPU.

    :param edges: per access, how it comes before the next one of ``accesses``
    :param threads: per CPU that has any, its accesses in order
    :param fences: per access, the strongest between it and the one before it on its CPU
    :param first: what is in a cell at the beginning
    :param weak: an atomic that returns nothing orders nothing
    """

    accesses: list[Access]
    edges: list[str]
    threads: dict[int, list[Access]] = field(default_factory=dict)
    fences: dict[Access, Access] = field(default_factory=dict)
    weak: bool = False
    first: dict[Cell, int] = field(default_factory=dict)

    def writes(self, cell: Cell) -> list[Access]:
        """Those to a cell, in the order in which they became visible."""
        rows = [a for row in self.threads.values() for a in row]
        return sorted((a for a in rows if (a.kind, a.cell) == (WRITE, cell)), key=lambda a: a.seen)


def find_circle(found: Accesses, about: Collection[Cell] = ()) -> Circle | None:
    """The shortest circle of a path's accesses; None where the path is sequentially consistent.

    :param about: cells that it should go through, if several are as short
    """
    after = _after(found)
    best: list[tuple[str, Access]] = []
    rank = (0, 0, 0)
    for a in found.rows:
        way = _shortest(a, after) if a in after else []
        if way:
            here = -len(way), sum(x.cell in about for _, x in way), max(x.at for _, x in way)
            if not best or here > rank:
                best, rank = way, here
    if not best:
        return None
    out = Circle([a for _, a in best], [how for how, _ in best], weak=found.weak)
    _fill(out, found)
    return out


def _after(found: Accesses) -> dict[Access, list[Edge]]:
    """Per access, those that come after it: on its CPU the next, and of its cell on others."""
    out: dict[Access, list[Edge]] = {a: [] for a in found.rows if a.kind != FENCE}
    cells: dict[Cell, set[int]] = {}
    for a in out:
        cells.setdefault(a.cell, set()).add(a.cpu)
    shared = {c for c, cpus in cells.items() if len(cpus) > 1}
    rows = [a for a in out if a.cell in shared]
    for i, a in enumerate(rows):
        out[a] += [(NEXT, b) for b in rows[i + 1 :] if b.cpu == a.cpu]
    for cell in shared:
        writes = found.writes(cell)
        for a in (a for a in rows if a.cell == cell):
            if a.kind == WRITE:
                later = [w for w in writes if w.seen > a.seen]
                out[a] += [(BEFORE, w) for w in later if w.cpu != a.cpu]
            else:
                last = a.source.seen if a.source is not None else 0
                out[a] += [(OVERWRITTEN, w) for w in writes if w.seen > last and w.cpu != a.cpu]
                if a.source is not None and a.source.cpu != a.cpu:
                    out[a.source].append((READ_BY, a))
    return {a: edges for a, edges in out.items() if edges}


def _shortest(start: Access, after: dict[Access, list[Edge]]) -> list[Edge]:
    """The shortest way from ``start`` back to it: each access with how it comes before the next."""
    came: dict[Access, tuple[str, Access]] = {}
    todo = [start]
    for a in todo:
        for how, b in after.get(a, ()):
            if b is start:
                way = [(how, a)]
                while a is not start:
                    how, a = came[a]
                    way.append((how, a))
                return way[::-1]
            if b not in came:
                came[b] = (how, a)
                todo.append(b)
    return []


def _fill(c: Circle, found: Accesses) -> None:
    """Threads, what orders their accesses, and what is there at the beginning."""
    rows = dict.fromkeys(c.accesses)
    while True:
        writes = [a for a in rows if a.kind == WRITE]
        for a in [a for a in rows if a.kind == READ and a.source not in rows]:
            early = [w for w in writes if w.cell == a.cell]
            if a.source is not None and any(w.seen < a.source.seen for w in early):
                rows[a.source] = None  # it read what came after a write of the circle
        if len(writes) == sum(a.kind == WRITE for a in rows):
            break
    for a in sorted(rows, key=lambda a: a.at):
        c.threads.setdefault(a.cpu, []).append(a)
    c.threads = dict(sorted(c.threads.items()))
    for cell in {a.cell for a in rows}:
        first = min((w.seen for w in c.writes(cell)), default=0)
        old = [w for w in found.writes(cell) if w.seen < first]
        c.first[cell] = old[-1].value if old else found.before[cell]
        for r in (a for a in rows if a.kind == READ and a.cell == cell and a.source not in rows):
            c.first[cell] = r.value
    for row in c.threads.values():
        for a, b in pairwise(row):
            between = [x for x in found.rows if x.cpu == a.cpu and a.at < x.at < b.at]
            told = [x for x in between if _orders(x, [*between, b], row, found.weak)]
            if told:
                c.fences[b] = min(told, key=lambda x: STRONG.index(x.mark))


STRONG = ("mb", "locked", "irq", "switch", "once", "plain", "release", "wmb", "rmb")


def _orders(x: Access, between: list[Access], row: list[Access], weak: bool) -> bool:
    """Whether ``x`` is a barrier, or waited for what its CPU had stored before."""
    if x.kind == READ or (x.kind == WRITE and not x.region and (weak or x.mark != "locked")):
        return False
    if x.mark in ("wmb", "rmb"):
        return True
    # A locked instruction waits where it accesses memory.
    now = next((y.at for y in between if y.at > x.at), x.at) if x.mark == "locked" else x.at
    return all(w.seen < now for w in row if w.kind == WRITE and w.at < x.at)
