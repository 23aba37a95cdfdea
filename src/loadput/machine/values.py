"""Which values each variable and local can have, who touches what, and what matters at all.

A simple over-approximation: sets of values per element of each variable and per local of each
context, grown until nothing changes, following only branches that can be taken.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace

from ..base.clock import look
from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import VarDecl
from ..ir.eval import binary, unary
from ..link.program import Program
from .forget import DEAD_IS_READ, SHADOW, base_of, is_late, is_shadow
from .nodes import DRAIN, End, Graph, Node, Push

WIDE = 48
MOST_LATE = 15


@dataclass(slots=True)
class Var:
    """One state variable: ``count`` instances of ``length`` elements of a scalar type."""

    name: str
    type: ty.Type
    domain: str
    by: str
    count: int
    length: int
    lo: int
    hi: int
    ghost: bool
    init: list[int]


@dataclass(frozen=True, slots=True)
class Context:
    """Something that runs: a task (its frames together) or the interrupts of a CPU."""

    kind: str
    index: int

    def __str__(self) -> str:
        return f"T{self.index}" if self.kind == "task" else f"{self.kind} {self.index}"


@dataclass(slots=True)
class Values:
    """The result: value sets, reachable nodes, accesses, and what is needed."""

    vars: dict[str, Var]
    contexts: list[Context]
    cells: dict[str, list[set[int]]]
    locals: MutableMapping[tuple[int, str], set[int]]
    reached: dict[int, set[int]]
    access: dict[int, dict[int, set[int]]] = field(default_factory=dict)
    taken: dict[int, set[bool]] = field(default_factory=dict)
    needed_vars: set[str] = field(default_factory=set)
    needed_locals: set[str] = field(default_factory=set)


def make_vars(p: Program) -> dict[str, Var]:
    """Every scalar variable of the program with its start values."""
    sizes, count_of = p.scenario.sizes, p.count_of
    out: dict[str, Var] = {}

    def add(name: str, d: VarDecl, domain: str, by: str) -> None:
        t, length = d.type, 1
        if isinstance(t, ty.Array):
            length = t.length if isinstance(t.length, int) else sizes.count(t.length)
            t = t.elem
        if isinstance(t, ty.Embed | ty.Void):
            return
        lo, hi = ty.bounds(t, sizes, count_of)
        count = sizes.count(domain)
        init = [_init(p, d, t, domain, i) for i in range(count) for _ in range(length)]
        out[name] = Var(name, t, domain, by, count, length, lo, hi, d.ghost, init)

    for s in p.decls.structs.values():
        for f in s.fields.values():
            add(f"{s.name}.{f.name}", f, s.per, "ptr")
    for g in p.decls.globals.values():
        add(g.name, g, "cpu" if g.percpu else "one", "cpu" if g.percpu else "none")
    return out


def is_kept(op: object, v: Values) -> bool:
    """False for an operation whose effect nothing needs."""
    if isinstance(op, o.Assign | o.Load):
        return op.dst in v.needed_locals
    if isinstance(op, o.Store | o.Fresh):
        return op.place.var in v.needed_vars
    return True


def is_switch(op: object) -> bool:
    """Whether ``op`` gives a CPU to a task.

    That is a fault, as a value out of its bounds is, where the scenario does not let the task be on
    that CPU, and where it is on another one: what a task does by itself rests on both.
    """
    return isinstance(op, o.Store) and op.place.var == "current_task"


def _add_shadows(vs: dict[str, Var], g: Graph) -> None:
    """What each CPU has is dead from the start on; a read of it before a write is found."""
    for n in g.nodes:
        if not isinstance(n.op, o.Load | o.Store | o.Fresh):
            continue
        name = n.op.place.var
        if not (is_shadow(name) or is_late(name)):
            continue
        old = vs[base_of(name)]
        t = ty.BOOL if is_shadow(name) else ty.Int(0, MOST_LATE)
        none = [int(is_shadow(name) and old.domain == "cpu")] * len(old.init)
        vs[name] = replace(old, name=name, type=t, lo=t.lo, hi=t.hi, ghost=True, init=none)


def _init(p: Program, d: VarDecl, t: ty.Type, domain: str, i: int) -> int:
    s = p.scenario
    users = len(s.tasks)
    if isinstance(d.init, int):
        return d.init
    if d.init == "starts_runnable":
        return 1
    if d.init == "starts_on_cpu":
        return int(i >= users)
    if d.init == "idle_task":
        return 2 * (users + i) + 1 if isinstance(t, ty.Token) else users + i + 1
    if d.init == "allowed_cpus":
        return sum(1 << c for c in s.tasks[i].cpus) if i < users else 1 << (i - users)
    if d.init.startswith("does_"):
        mine = s.tasks[i : i + 1] if domain == "task" else [t for t in s.tasks if t.vcpu == i]
        return int(any(d.init[5:] in t.does for t in mine))
    if d.init == "is_shared":
        return int(sum(t.vcpu == i for t in s.tasks) > 1)
    if d.init == "own" and isinstance(t, ty.Token):
        return 2 * i + 1
    if d.init == "own" and isinstance(t, ty.Ptr):
        per = p.decls.structs[t.struct].per
        if per == domain:
            return i + 1
        if per == "vcpu":
            return (s.tasks[i].vcpu if i < users and s.tasks[i].vcpu is not None else -1) + 1  # type: ignore[operator]
        if per == "vm":
            return s.vms[i] + 1
        if per == "cpu":
            return i + 1
        if per == "task":
            return next((k + 1 for k, task in enumerate(s.tasks) if task.vcpu == i), 0)
    if d.init in p.decls.consts:
        return p.decls.consts[d.init]
    from ..base.errors import LinkError

    raise LinkError(
        "LP0413",
        f"unknown start value '{d.init}' of {d.name}",
        span=d.span,
        expected="a number, a constant, own, does_*, starts_*, idle_task, allowed_cpus, is_shared",
    )


def _step_of(op: object) -> o.Expr | None:
    """What an operation adds to a local; None where it does something else."""
    e = op.expr if isinstance(op, o.Assign) else None
    return e.b if isinstance(e, o.Bin) and e.op == "add" and isinstance(e.a, o.Local) else None


def _loop_caps(g: Graph) -> dict[str, int]:
    """For locals that are counted up: the greatest constant they are compared with, and a step.

    A counter is tested before each turn, so it does not pass that by more than one step. A counter
    whose steps are not constants has no cap.
    """
    steps: dict[str, int | None] = {}
    for n in g.nodes:
        by = _step_of(n.op)
        if by is not None:
            dst = n.op.dst  # type: ignore[union-attr]
            most = steps.get(dst, 1)
            steps[dst] = max(most, by.value) if isinstance(by, o.Const) and most else None
    caps: dict[str, int] = {}
    for n in g.nodes:
        e = n.op.cond if isinstance(n.op, o.Branch) else None
        if isinstance(e, o.Bin) and isinstance(e.a, o.Local) and isinstance(e.b, o.Const):
            step = steps.get(e.a.name)
            if e.op in ("lt", "le", "gt", "ge") and step:
                caps[e.a.name] = max(caps.get(e.a.name, 0), e.b.value + step)
    return caps


class Analysis:
    """Grows the sets until nothing changes: `run`."""

    def __init__(self, p: Program, g: Graph) -> None:
        self.p, self.g = p, g
        vs = make_vars(p)
        _add_shadows(vs, g)
        sizes = p.scenario.sizes
        self.contexts = [Context("task", i) for i in range(sizes.task)]
        self.contexts += [Context("irq", c) for c in range(sizes.cpu)]
        self.contexts += [Context("always", 0), Context("stuck", 0)]
        if g.starts[DRAIN]:
            self.contexts += [Context(DRAIN, c) for c in range(sizes.cpu)]
        cells = {n: [{v} for v in var.init] for n, var in vs.items()}
        self.v = Values(vs, self.contexts, cells, {}, {})
        self.kinds: dict[str, list[str]] = {}
        for n, var in vs.items():
            if isinstance(var.type, ty.Token):
                self.kinds.setdefault(var.type.kind, []).append(n)
        self.caps = _loop_caps(g)
        self.written = {getattr(n.op, "dst", "") for n in g.nodes}
        """Locals that something gives a value; any other is 0, as in every engine."""
        self.changed = True

    def run(self) -> Values:
        """Return the fixpoint, with accesses and needs filled in."""
        while self.changed:
            self.changed = False
            for ci, ctx in enumerate(self.contexts):
                look()
                self._context(ci, self.entries(ctx))
        self._needs()
        return self.v

    def entries(self, ctx: Context) -> list[int]:
        """The nodes at which frames of ``ctx`` may begin."""
        g, users = self.g, len(self.p.scenario.tasks)
        if ctx.kind != "task":
            return [n for (k, _), n in g.entries.items() if k == ctx.kind]
        name = self.p.scenario.tasks[ctx.index].runs if ctx.index < users else "idle"
        own = [g.entries[("main", name)]]
        return own + [n for (k, e), n in g.entries.items() if k == "sched" and "(" not in e]

    def cpus_of(self, ctx: Context) -> set[int]:
        """The CPUs on which ``ctx`` may run."""
        if ctx.kind in ("always", "stuck"):
            return set()
        if ctx.kind in ("irq", DRAIN):
            return {ctx.index}
        return set(self.p.scenario.cpus_of(ctx.index))

    def _stand_in(self, ci: int) -> None:
        """Take the place of a context: its CPUs, and who is current there."""
        ctx = self.v.contexts[ci]
        self.ci, self.cpus, self.current = ci, self.cpus_of(ctx), set()
        if ctx.kind == "task":
            self.current = {ctx.index + 1}
        elif ctx.kind in ("irq", DRAIN):
            self.current = {
                c.index + 1
                for c in self.v.contexts
                if c.kind == "task" and ctx.index in self.cpus_of(c)
            }

    def values_in(
        self, ci: int, e: o.Expr, known: Mapping[str, set[int]] | None = None
    ) -> set[int]:
        """The values that ``e`` can have in context ``ci``.

        :param known: locals of which more is known than the whole analysis found
        """
        self._stand_in(ci)
        whole = self.v
        if known:
            here = {(ci, name): vals for name, vals in known.items()}
            self.v = replace(whole, locals=ChainMap(here, whole.locals))
        found = self.values(e)
        self.v = whole
        return found

    def begin_at(self, ci: int, starts: list[int], cells: dict[str, list[set[int]]]) -> Values:
        """What context ``ci`` does from ``starts`` on, where variables have only these values.

        :param cells: a part of what the whole analysis found
        """
        whole = self.v
        self.v = Values(whole.vars, whole.contexts, cells, {}, {})
        self.changed = True
        while self.changed:
            self.changed = False
            self._context(ci, starts)
        part, self.v = self.v, whole
        return part

    def _context(self, ci: int, starts: list[int]) -> None:
        self._stand_in(ci)
        seen: set[int] = set()
        todo = list(starts)
        nodes = self.g.nodes
        while todo:
            n = todo.pop()
            if n in seen:
                continue
            seen.add(n)
            todo += self._node(nodes[n])
        if len(seen) != len(self.v.reached.get(ci, ())):
            self.v.reached[ci] = seen
            self.changed = True

    def values(self, e: o.Expr) -> set[int]:
        """The values that ``e`` can have in the context at hand."""
        if isinstance(e, o.Const):
            return {e.value}
        if isinstance(e, o.Local):
            unset = set() if e.name in self.written else {0}
            return self.v.locals.get((self.ci, e.name), unset)
        if isinstance(e, o.Leaf):
            return self.cpus if e.name == "this_cpu" else self.current
        if isinstance(e, o.Un):
            return {unary(e.op, a) for a in self.values(e.a)}
        assert isinstance(e, o.Bin)
        a, b = self.values(e.a), self.values(e.b)
        return {binary(e.op, x, y) for x in a for y in b}

    def _elements(self, p: o.Place) -> Iterable[int]:
        var = self.v.vars[p.var]
        subs = self.values(p.sub) if p.sub is not None else {0}
        if p.index is None:
            firsts = {0}
        else:
            off = 1 if var.by == "ptr" else 0
            firsts = {i - off for i in self.values(p.index)}
        return [
            i * var.length + j
            for i in firsts
            for j in subs
            if 0 <= i < var.count and 0 <= j < var.length
        ]

    def _grow(self, key: tuple[int, str], new: set[int]) -> None:
        have = self.v.locals.setdefault(key, set())
        if not new <= have:
            if len(have) + len(new) > WIDE:
                from ..base.errors import LayoutError

                raise LayoutError(
                    "LP0708",
                    f"local {key[1]} takes more than {WIDE} values",
                    expected="a bounded local",
                    next="bound it, or omit it",
                )
            have |= new
            self.changed = True

    def _grow_cell(self, var: str, i: int, new: set[int]) -> None:
        v = self.v.vars[var]
        have = self.v.cells[var][i]
        new = {x for x in new if v.lo <= x <= v.hi}
        if not new <= have:
            have |= new
            self.changed = True

    def _touch(self, n: Node, p: o.Place) -> Iterable[int]:
        es = self._elements(p)
        self.v.access.setdefault(n.id, {}).setdefault(self.ci, set()).update(es)
        return es

    def _node(self, n: Node) -> list[int]:
        op = n.op
        if isinstance(op, o.Assign):
            new = self.values(op.expr)
            if op.dst in self.caps and _step_of(op) is not None:
                new = {min(x, self.caps[op.dst]) for x in new}
            self._grow((self.ci, op.dst), new)
        elif isinstance(op, o.Load):
            got: set[int] = set()
            for i in self._touch(n, op.place):
                got |= self.v.cells[op.place.var][i]
            self._grow((self.ci, op.dst), got)
        elif isinstance(op, o.Store):
            new = self.values(op.expr)
            for i in self._touch(n, op.place):
                self._grow_cell(op.place.var, i, self._able(i, new) if is_switch(op) else new)
        elif isinstance(op, o.Fresh):
            self._fresh(n, op)
        elif isinstance(op, o.Choose):
            lo, hi = self.values(op.lo), self.values(op.hi)
            if lo and hi:
                self._grow((self.ci, op.dst), set(range(min(lo), max(hi) + 1)))
        elif isinstance(op, o.Branch):
            vals = self.values(op.cond)
            out = []
            taken = self.v.taken.setdefault(n.id, set())
            if any(vals):
                out.append(n.next[0])
                taken.add(True)
            if 0 in vals:
                out.append(n.next[1])
                taken.add(False)
            return out
        elif isinstance(op, o.Assume):
            return list(n.next) if any(self.values(op.cond)) else []
        elif isinstance(op, Push):
            return [*n.next, op.entry]
        elif isinstance(op, End):
            return []
        return list(n.next)

    def _able(self, cpu: int, tasks: set[int]) -> set[int]:
        """Those of ``tasks`` that may be on that CPU; a switch to another is a fault."""
        every = range(self.p.scenario.sizes.task)
        return tasks & {t + 1 for t in every if cpu in self.p.scenario.cpus_of(t)}

    def _fresh(self, n: Node, op: o.Fresh) -> None:
        owners = self.values(op.owner)
        for i in self._touch(n, op.place):
            self._grow_cell(op.place.var, i, {2 * w - 1 for w in owners if w > 0})
        t = self.v.vars[op.place.var].type
        assert isinstance(t, ty.Token)
        for name in self.kinds[t.kind]:
            for i, have in enumerate(self.v.cells[name]):
                self._grow_cell(name, i, {2 * w for w in owners if w > 0 and 2 * w - 1 in have})

    def _needs(self) -> None:
        """What can influence control or a property: everything else is not kept."""
        need_v: set[str] = {"current_task"}
        need_l: set[str] = set()
        live = set().union(*self.v.reached.values()) if self.v.reached else set()
        ops = [self.g.nodes[i].op for i in sorted(live)]

        def want(e: o.Expr | None) -> None:
            need_l.update(x.name for x in o.walk(e) if isinstance(x, o.Local))

        for op in ops:
            if isinstance(op, o.Check) and op.prop == DEAD_IS_READ:
                continue
            if isinstance(op, o.Branch | o.Assume | o.Check):
                want(op.cond)
            elif isinstance(op, o.Choose):
                want(op.lo)
                want(op.hi)
        # What has one value is that, forgotten or not.
        watched = {
            op.dst
            for op in ops
            if isinstance(op, o.Load)
            and is_shadow(op.place.var)
            and any(len(c) > 1 for c in self.v.cells[op.place.var.removesuffix(SHADOW)])
        }
        size = -1
        while size != len(need_v) + len(need_l):
            size = len(need_v) + len(need_l)
            for op in ops:
                if isinstance(op, o.Assign) and op.dst in need_l:
                    want(op.expr)
                elif isinstance(op, o.Check) and op.prop == DEAD_IS_READ:
                    read = {x.name for x in o.walk(op.cond) if isinstance(x, o.Local)}
                    if any(x in watched and x.removesuffix(SHADOW) in need_l for x in read):
                        want(op.cond)
                elif isinstance(op, o.Load) and op.dst in need_l:
                    need_v.add(op.place.var)
                    want(op.place.index)
                    want(op.place.sub)
                elif isinstance(op, o.Store) and op.place.var in need_v:
                    want(op.place.index)
                    want(op.place.sub)
                    want(op.expr)
                elif isinstance(op, o.Fresh):
                    t = self.v.vars[op.place.var].type
                    if isinstance(t, ty.Token) and need_v & set(self.kinds[t.kind]):
                        need_v.add(op.place.var)
                        want(op.place.index)
                        want(op.owner)
        self.v.needed_vars, self.v.needed_locals = need_v, need_l
