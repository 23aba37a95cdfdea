"""Symmetry reduction: which CPUs, tasks and vCPUs a program treats alike.

A renaming exchanges CPUs, tasks, vCPUs and VMs. It is kept where the start and the constants stay
what they are, and where every operation of the program does to renamed values what it did to the
values, renamed: that is tried for every value that the operation's locals can have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from ..ir import types as ty
from .model import Machine
from .sorts import Maps, Sorts, make_maps

MOST = 24
"""Renamings, the one that changes nothing included."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """One way to exchange CPUs and tasks: what each becomes, and what that makes of a state.

    :param moves: per slot of a variable: its place in the renamed state, and what values become
    :param frames: per kind, the place of a frame's pc and registers, and per pc what they become
    """

    cpus: tuple[int, ...]
    tasks: tuple[int, ...]
    moves: tuple[tuple[int, dict[int, int] | None], ...]
    frames: tuple[_Frames, ...]

    def apply(self, s: tuple[int, ...]) -> tuple[int, ...]:
        """The renamed state."""
        out = [0] * len(s)
        for i, (to, values) in enumerate(self.moves):
            out[to] = s[i] if values is None else values.get(s[i], s[i])
        for f in self.frames:
            n = len(f.order)
            for i, k in enumerate(f.order):
                pc = out[f.pc + k] = s[f.pc + i]
                for r, values in f.live[pc]:
                    x = s[f.regs + r * n + i]
                    out[f.regs + r * n + k] = x if values is None else values.get(x, x)
        return tuple(out)


@dataclass(frozen=True, slots=True)
class _Frames:
    pc: int
    regs: int
    order: tuple[int, ...]
    live: tuple[tuple[tuple[int, dict[int, int] | None], ...], ...]


@dataclass(frozen=True, slots=True)
class Symmetry:
    """The renamings that a program allows (a group, but for the identity), and why not others."""

    renamings: tuple[Renaming, ...]
    refused: tuple[str, ...]


def find_symmetry(m: Machine) -> Symmetry:
    """The renamings that ``m`` allows."""
    candidates = list(_candidates(m))
    if not candidates:
        return Symmetry((), ("no two CPUs or tasks of the scenario are alike",))
    sorts = Sorts(m)
    if sorts.conflict:
        return Symmetry((), (sorts.conflict,))
    refused: dict[str, None] = {}
    good: list[Maps] = []
    for maps in candidates:
        if not _fits_constants(m, sorts, maps):
            continue
        r = _renaming(m, sorts, maps)
        if r.apply(m.initial) != m.initial:
            continue
        why = sorts.differs(maps)
        if why:
            refused[f"{maps.title} are told apart: {why}"] = None
        else:
            good.append(maps)
    group = _closed(m, good)
    if len(group) + 1 > MOST:
        refused[f"more than {MOST} ways to exchange CPUs and tasks"] = None
        group = []
    if not group and not refused:
        refused["no two CPUs or tasks of the scenario are alike"] = None
    return Symmetry(tuple(_renaming(m, sorts, x) for x in group), tuple(refused))


def _candidates(m: Machine) -> Iterator[Maps]:
    """Every way to exchange CPUs and tasks that the scenario allows, but for the identity."""
    s = m.program.scenario
    users = range(len(s.tasks))
    for cpus in permutations(range(s.cpus)):
        for order in permutations(users):
            alike = all(
                (a.runs, a.does, {cpus[c] for c in a.cpus}) == (b.runs, b.does, set(b.cpus))
                for a, b in ((s.tasks[i], s.tasks[order[i]]) for i in users)
            )
            if not alike or (cpus == tuple(range(s.cpus)) and order == tuple(users)):
                continue
            maps = _induced(m, cpus, order)
            if maps is not None:
                yield maps


def _induced(m: Machine, cpus: tuple[int, ...], order: tuple[int, ...]) -> Maps | None:
    """With tasks go their vCPUs, with vCPUs their VMs, with CPUs their idle tasks."""
    s = m.program.scenario
    becomes: dict[int, int] = {}
    vms: dict[int, int] = {}
    for i, k in enumerate(order):
        a, b = s.tasks[i].vcpu, s.tasks[k].vcpu
        if (a is None) != (b is None):
            return None
        # Two threads of one vCPU go to two threads of one vCPU.
        if a is not None and b is not None and becomes.setdefault(a, b) != b:
            return None
    vcpus = [becomes.get(v, v) for v in range(len(s.vms))]
    if sorted(vcpus) != list(range(len(s.vms))):
        return None
    for v, vm in enumerate(s.vms):
        if vms.setdefault(vm, s.vms[vcpus[v]]) != s.vms[vcpus[v]]:
            return None
    count = s.sizes.vm
    renamed = [vms.get(v, v) for v in range(count)]
    if sorted(renamed) != list(range(count)):
        return None
    tasks = (*order, *(len(order) + c for c in cpus))
    return make_maps(cpus, tasks, tuple(vcpus), tuple(renamed))


def _closed(m: Machine, good: list[Maps]) -> list[Maps]:
    """The renamings that those in ``good`` make together, without the identity."""
    same = make_maps(*(tuple(range(m.program.scenario.sizes.count(d))) for d in ty.DOMAINS[1:]))
    group = {same.key: same}
    todo = list(group.values())
    while todo and len(group) <= MOST:
        a = todo.pop()
        for b in good:
            both = make_maps(*(tuple(y[i] for i in x) for x, y in zip(a.key, b.key, strict=True)))
            if both.key not in group:
                group[both.key] = both
                todo.append(both)
    return [x for _, x in sorted(group.items()) if x.key != same.key]


def _fits_constants(m: Machine, sorts: Sorts, maps: Maps) -> bool:
    for name, values in m.constants.items():
        sort = sorts.of_var(name)
        for i, x in enumerate(values):
            if values[sorts.element(name, i, maps)] != maps.value(sort, x):
                return False
    return True


def _renaming(m: Machine, sorts: Sorts, maps: Maps) -> Renaming:
    moves: list[tuple[int, dict[int, int] | None]] = []
    for name, at in m.var_at.items():
        table = maps.tables.get(sorts.of_var(name))
        n = len(m.values.vars[name].init)
        moves += [(at + sorts.element(name, i, maps), table) for i in range(n)]
    frames = []
    for kind, at in m.pc_at.items():
        order = maps.cpus if kind == "irq" else maps.tasks
        live = [()] + [
            tuple((r, maps.tables.get(sorts.of_local(name))) for name, r in m.regs[node])
            for node in m.fused.control[kind]
        ]
        frames.append(_Frames(at, m.reg_at[kind], order, tuple(live)))
    return Renaming(maps.cpus, maps.tasks, tuple(moves), tuple(frames))
