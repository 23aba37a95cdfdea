"""Plain accesses that race with another context's access, under the strict (LKMM) rule.

Two accesses to one place from different contexts, one of them a write, one of them plain, and
neither inside an atomic region (a hardware instruction, or what the specification models as one
step under a lock). A race is a finding of its own, never the verdict: mainline has intended ones.
Computed from what each context may touch, so that it lists pairs that no run may bring together.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir import ops as o
from ..machine.model import Machine
from ..machine.nodes import Node


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """One side: ``function`` reads or writes, with its mark, at ``source``."""

    function: str
    what: str
    mark: str
    source: str


@dataclass(frozen=True, slots=True, order=True)
class Race:
    """Two accesses of ``variable``; ``blame`` is "" without a base."""

    variable: str
    a: Access
    b: Access
    blame: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What identifies the race in another program: names and marks, not places."""
        return (
            self.variable,
            *(getattr(s, f) for s in (self.a, self.b) for f in ("function", "what", "mark")),
        )


def find_races(m: Machine) -> list[Race]:
    """Every race of the machine's program, sorted by variable and function."""
    hooks = {h.name for hs in m.program.hooks.values() for h in hs}
    by_place: dict[tuple[str, int], list[tuple[int, Node]]] = {}
    for nid, per in sorted(m.values.access.items()):
        n = m.graph.nodes[nid]
        op = n.op
        if not isinstance(op, o.Load | o.Store) or hooks & set(n.stack):
            continue
        var = m.values.vars[op.place.var]
        if var.ghost or _is_scheduler(m, op.place.var) or _is_own_cpu(m, op):
            continue
        for ci, elems in per.items():
            if m.values.contexts[ci].kind in ("task", "irq"):
                for e in elems:
                    by_place.setdefault((op.place.var, e), []).append((ci, n))
    found: dict[tuple[str, ...], Race] = {}
    for (name, _), rows in sorted(by_place.items()):
        for i, (ca, na) in enumerate(rows):
            for cb, nb in rows[i + 1 :]:
                if ca != cb and _conflict(na, nb):
                    a, b = sorted((_access(na), _access(nb)))
                    race = Race(name, a, b)
                    found.setdefault(race.key, race)
    return sorted(found.values())


def _is_scheduler(m: Machine, name: str) -> bool:
    """The scheduler's own variables are modelled under their locks."""
    struct, dot, f = name.partition(".")
    decl = m.program.decls.find_field(struct, f) if dot else m.program.decls.globals.get(struct)
    return decl is None or "/kernel/sched/" in decl.span.file or "/machine/" in decl.span.file


def _is_own_cpu(m: Machine, op: o.Load | o.Store) -> bool:
    var, index = m.values.vars[op.place.var], op.place.index
    here: o.Expr = o.Leaf("this_cpu")
    return var.domain == "cpu" and index in (here, o.Bin("add", here, o.Const(1)))


def _conflict(a: Node, b: Node) -> bool:
    if a.atomic or b.atomic:
        return False
    ops = (a.op, b.op)
    writes = any(isinstance(op, o.Store) for op in ops)
    plain = any(isinstance(op, o.Load | o.Store) and op.mark == "plain" for op in ops)
    return writes and plain


def _access(n: Node) -> Access:
    op = n.op
    assert isinstance(op, o.Load | o.Store)
    what = "writes" if isinstance(op, o.Store) else "reads"
    mark = "once" if op.mark == "locked" else op.mark
    return Access(n.stack[-1], what, mark, str(op.span))


def lay_race_blame(new: list[Race], base: list[Race]) -> list[Race]:
    """``new`` with each race marked as new or present before."""
    known = {r.key for r in base}
    return [
        Race(r.variable, r.a, r.b, "present before" if r.key in known else "new with this change")
        for r in new
    ]
