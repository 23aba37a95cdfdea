"""What becomes of a barrier that is dropped, or an atomic that is weakened, where stores are late.

Under x86's memory some order nothing: acquire and release, smp_wmb() and smp_rmb(). Each of the
others is decided on one scenario of few states, in which somebody on another CPU wakes and kicks.
One that nobody notices is redundant there, and it is said why. Under weaker memory, of which only a
part is looked at, one that nobody notices is missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from loadput.check.accesses import accesses_of
from loadput.check.cycle import find_circle
from loadput.check.verdict import has_tso
from loadput.ir import ops as o
from loadput.link.program import Choice, Program, link
from loadput.link.scenario import make_scenario
from loadput.machine.alike import graph_of
from loadput.machine.delayed import FULL
from loadput.machine.model import Machine, build_machine
from loadput.machine.tso import FULL_BUFFER, TSO, WEAK
from loadput.run.explore import Limits, explore
from loadput.run.interp import Action
from loadput.run.reduce import USUAL

from .damage import Mutant, mutants
from .verdict import BOUND

KICKED = {
    "title": "2 CPUs, 1 vCPU thread that migrates and halts, and interrupts; voluntary preemption",
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "halt", "irq"]}],
    "set": {"preempt_model": 1},
}

CAUGHT, REDUNDANT, OPEN, MISSED = "caught", "redundant", "not decided", "missed"
FREE = "no store passes another, and no load another, in this memory"
AWAY = "the scenario does not come there, or the machine is the same"
EMPTY = "the same places may be late, no more stores at once; every property holds"
HOLDS = "more may be late; every property holds"


@dataclass(frozen=True, slots=True)
class Late:
    """One: ``why`` is the property that notices it, or why it is redundant."""

    mutant: Mutant
    state: str
    why: str
    states: int = 0


def decide_late(arch: str, only: str = "") -> Iterator[Late]:
    """Each mutant of ``arch`` that changes the order of memory, in their order.

    :param only: those whose name has this in it
    """
    memory = TSO if has_tso(arch) else WEAK
    program = link(Choice(arch, memory=memory, reduce=False), make_scenario("kicked", KICKED))
    ground = graph_of(program, marks=memory == WEAK)[0]
    before = build_machine(program)
    for m in mutants(program):
        if m.kind == "order" and only in m.name and not _is_marked(m):
            yield _decide(m, program, ground, before)


def _old(m: Mutant) -> o.Op:
    """The operation that is damaged."""
    e = m.edits[0]
    return next(b for b in m.fn.blocks if b.label == e.label).ops[e.i]


def _is_marked(m: Mutant) -> bool:
    """READ_ONCE(), WRITE_ONCE() and their like, which order nothing."""
    return getattr(_old(m), "mark", "") == "once"


def _decide(m: Mutant, p: Program, ground: object, before: Machine) -> Late:
    old, weak = _old(m), p.choice.memory == WEAK
    if not weak and not ((isinstance(old, o.Barrier) and old.kind in FULL) or _is_locked(old)):
        return Late(m, REDUNDANT, FREE)
    q = replace(p, functions={**p.functions, m.fn.name: m.new})
    if graph_of(q, marks=weak)[0] == ground:
        return Late(m, REDUNDANT, AWAY)
    machine = build_machine(q)
    found = explore(machine, limits=Limits(threads=1, max_states=BOUND), reduce=USUAL)
    bad = {
        name: len(path)
        for name, path in found.first.items()
        if name != FULL_BUFFER and not (weak and _is_in_order(machine, path))
    }
    if bad:
        by = min(bad, key=lambda n: (bad[n], n))
        return Late(m, CAUGHT, f"{by}, {bad[by]} steps", found.states)
    if not found.finished or FULL_BUFFER in found.first:
        return Late(m, OPEN, f"after {found.states:,} states", found.states)
    why = EMPTY if _waiting(machine) == _waiting(before) else HOLDS
    return Late(m, MISSED if weak else REDUNDANT, why, found.states)


def _is_in_order(m: Machine, path: Sequence[Action]) -> bool:
    """Whether what a path does needs no access out of order: only a property's look is late."""
    return find_circle(accesses_of(m, path)) is None


def _is_locked(op: o.Op) -> bool:
    return isinstance(op, o.Store) and op.mark == "locked"


def _waiting(m: Machine) -> object:
    """The places whose stores may wait, how many at once, and those that may be loaded early."""
    return m.buffers and (sorted(m.buffers.lines), m.buffers.slots, m.buffers.old)
