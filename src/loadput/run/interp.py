"""The interpreter: the definition of what a machine does. Every other engine must agree with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..ir import ops as o
from ..ir import types as ty
from ..ir.eval import binary, unary
from ..machine.model import Machine
from ..machine.nodes import BEGINS, DRAIN, End, Push
from ..machine.values import is_kept, is_switch

State = tuple[int, ...]
Eval = Callable[[list[int], dict[str, int], int, int], int]


@dataclass(frozen=True, slots=True)
class Action:
    """One step: the CPU, the frame that moves, how it begins, and the free choices in it.

    :param start: "" where the frame goes on, else the handler that begins
    """

    cpu: int
    task: int
    kind: str
    start: str
    choices: tuple[int, ...] = ()


Begun = tuple[State, int, int, str, int, str]
"""A state and what goes on or begins in it: CPU, task, frame, node, and how it begins."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an action does: the next state (None where execution cannot go on), what it violates,
    and the nodes it passed.

    :param waits: a property has spoken, and then it cannot go on: nothing has moved
    """

    action: Action
    state: State | None
    violated: int
    nodes: tuple[int, ...] = ()
    waits: bool = False


class Fault(Exception):
    """A place that is not there, or a value out of range: the mask of the property violated."""

    def __init__(self, bit: int) -> None:
        self.bit = bit


class Interpreter:
    """Gives the steps that a state allows, in a fixed order."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.null = 1 << m.props.index("NULL-DEREF")
        self.range = 1 << m.props.index("IN-RANGE")
        self.bit = {n: 1 << i for i, n in enumerate(m.props)}
        tokens: dict[str, list[int]] = {}
        for name, at in m.var_at.items():
            t = m.values.vars[name].type
            if isinstance(t, ty.Token):
                n = len(m.values.vars[name].init)
                tokens.setdefault(t.kind, []).extend(range(at, at + n))
        self.tokens = tokens
        self.ops = [self._compile(n.op) for n in m.graph.nodes]
        self.cur_at = m.var_at["current_task"]
        self.starts = {k: [(s, m.graph.entries[(k, s)]) for s in m.graph.starts[k]] for k in BEGINS}
        # Ways that end at a wait, as choices and nodes: kept while somebody asks, in a list.
        self.refused: list[tuple[tuple[int, ...], tuple[int, ...]]] | None = None
        self.conditions = [
            (k, m.graph.entries[(k, e)]) for k, e in m.graph.entries if k in ("always", "stuck")
        ]

    # expressions and operations

    def _expr(self, e: o.Expr) -> Eval:
        if isinstance(e, o.Const):
            value = e.value
            return lambda st, loc, cpu, cur: value
        if isinstance(e, o.Local):
            name = e.name
            return lambda st, loc, cpu, cur: loc.get(name, 0)
        if isinstance(e, o.Leaf):
            if e.name == "this_cpu":
                return lambda st, loc, cpu, cur: cpu
            return lambda st, loc, cpu, cur: cur
        if isinstance(e, o.Un):
            a, op = self._expr(e.a), e.op
            return lambda st, loc, cpu, cur: unary(op, a(st, loc, cpu, cur))
        assert isinstance(e, o.Bin)
        x, y, bop = self._expr(e.a), self._expr(e.b), e.op
        if bop == "eq":
            return lambda st, loc, cpu, cur: int(x(st, loc, cpu, cur) == y(st, loc, cpu, cur))
        return lambda st, loc, cpu, cur: binary(bop, x(st, loc, cpu, cur), y(st, loc, cpu, cur))

    def _element(self, p: o.Place) -> Eval:
        """The element number of a place; raises Fault for NULL and for a missing slot."""
        var = self.m.values.vars[p.var]
        index = self._expr(p.index) if p.index is not None else None
        sub = self._expr(p.sub) if p.sub is not None else None
        off, count, length, null, rng = (
            int(var.by == "ptr"),
            var.count,
            var.length,
            self.null,
            self.range,
        )

        def element(st: list[int], loc: dict[str, int], cpu: int, cur: int) -> int:
            i = index(st, loc, cpu, cur) - off if index else 0
            j = sub(st, loc, cpu, cur) if sub else 0
            if i == -1 and off:
                raise Fault(null)
            if not (0 <= i < count and 0 <= j < length):
                raise Fault(rng)
            return i * length + j

        return element

    def _compile(self, op: object) -> Callable[..., None] | None:
        """The effect of an operation on (state, locals, cpu, current); None for control."""
        v = self.m.values
        if not is_kept(op, v):
            return None
        if isinstance(op, o.Assign):
            e, dst = self._expr(op.expr), op.dst

            def assign(st: list[int], loc: dict[str, int], cpu: int, cur: int) -> None:
                loc[dst] = e(st, loc, cpu, cur)

            return assign
        if isinstance(op, o.Load):
            return self._load(op)
        if isinstance(op, o.Store):
            return self._store(op)
        if isinstance(op, o.Fresh):
            return self._fresh(op)
        return None

    def _load(self, op: o.Load) -> Callable[..., None]:
        at, dst, var = self._element(op.place), op.dst, op.place.var
        if var in self.m.constants:
            table = self.m.constants[var]

            def load_const(st: list[int], loc: dict[str, int], cpu: int, cur: int) -> None:
                loc[dst] = table[at(st, loc, cpu, cur)]

            return load_const
        base = self.m.var_at[var]

        def load(st: list[int], loc: dict[str, int], cpu: int, cur: int) -> None:
            loc[dst] = st[base + at(st, loc, cpu, cur)]

        return load

    def _store(self, op: o.Store) -> Callable[..., None]:
        at, e, name, rng = self._element(op.place), self._expr(op.expr), op.place.var, self.range
        var = self.m.values.vars[name]
        lo, hi = var.lo, var.hi
        base = self.m.var_at.get(name)
        switches, cpus_of = is_switch(op), self.m.program.scenario.cpus_of

        def store(st: list[int], loc: dict[str, int], cpu: int, cur: int) -> None:
            i = at(st, loc, cpu, cur)
            x = e(st, loc, cpu, cur)
            if not lo <= x <= hi:
                raise Fault(rng)
            if switches:
                others = (st[self.cur_at + c] for c in range(self.m.cpus) if c != i)
                if i not in cpus_of(x - 1) or x in others:
                    raise Fault(rng)
            if base is not None:
                st[base + i] = x

        return store

    def _fresh(self, op: o.Fresh) -> Callable[..., None]:
        at, e, name = self._element(op.place), self._expr(op.owner), op.place.var
        t = self.m.values.vars[name].type
        assert isinstance(t, ty.Token)
        base, copies = self.m.var_at.get(name), self.tokens.get(t.kind, [])

        def fresh(st: list[int], loc: dict[str, int], cpu: int, cur: int) -> None:
            i = at(st, loc, cpu, cur)
            owner = e(st, loc, cpu, cur)
            for k in copies:
                if st[k] == 2 * owner - 1 and owner > 0:
                    st[k] = 2 * owner
            if base is not None:
                st[base + i] = 2 * owner - 1 if owner > 0 else 0

        return fresh

    # steps

    def steps(self, s: State) -> Iterator[Step]:
        """Every step that ``s`` allows, by CPU: store buffer, frame, handlers, preemption."""
        for begun in self.begun(s):
            yield from self.outcomes(*begun)

    def begun(self, s: State) -> Iterator[Begun]:
        """What goes on or may begin in ``s``, in that order."""
        m = self.m
        nodes = m.graph.nodes
        for cpu in range(m.cpus):
            task = s[self.cur_at + cpu] - 1
            for name, entry in self.starts[DRAIN]:
                yield s, cpu, task, DRAIN, entry, name
            pc = s[m.pc_at["irq"] + cpu]
            if pc:
                yield s, cpu, task, "irq", m.node_of("irq", pc), ""
                continue
            pc = s[m.pc_at["sched"] + task]
            kind = "sched" if pc else "main"
            pc = pc or s[m.pc_at["main"] + task]
            if not pc:
                continue
            at = m.node_of(kind, pc)
            yield s, cpu, task, kind, at, ""
            if nodes[at].irqs_off:
                continue
            for name, entry in self.starts["irq"]:
                yield s, cpu, task, "irq", entry, name
            if kind == "main" and nodes[at].depth == 0:
                for name, entry in self.starts["sched"]:
                    yield s, cpu, task, "sched", entry, name

    def runs(self, s: State, cpu: int) -> tuple[int, str, int] | None:
        """The task, frame and node at which ``cpu`` goes on; None where it does not."""
        m = self.m
        task = s[self.cur_at + cpu] - 1
        for kind, inst in (("irq", cpu), ("sched", task), ("main", task)):
            pc = s[m.pc_at[kind] + inst]
            if pc:
                return task, kind, m.node_of(kind, pc)
        return None

    def go_on(self, s: State, cpu: int) -> Iterator[Step]:
        """The steps by which ``cpu`` goes on; nothing begins."""
        at = self.runs(s, cpu)
        if at is not None:
            yield from self.outcomes(s, cpu, at[0], at[1], at[2], "")

    def violated_by(self, s: State, stuck: bool) -> int:
        """The mask of state properties that ``s`` violates; ``stuck`` ones only if it is."""
        mask = 0
        for kind, entry in self.conditions:
            if kind == "always" or stuck:
                out: list[tuple[tuple[int, ...], State | None, int, tuple[int, ...]]] = []
                self._run(list(s), {}, entry, 0, 0, kind, 0, out)
                for _, _, bad, _ in out:
                    mask |= bad
        return mask

    def condition(self, s: State, prop: str) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The ways, nodes and choices, in which a property of states is evaluated on ``s``."""
        for _, entry in self.conditions:
            if self.m.graph.nodes[entry].stack[0] == prop.replace("-", "_"):
                yield from ((nodes, choices) for choices, nodes in self.ways(s, entry))

    def ways(
        self, s: State, entry: int, cpu: int = 0, cur: int = 0
    ) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The ways, choices and nodes, from the first node of a condition on states to its end."""
        out: list[tuple[tuple[int, ...], State | None, int, tuple[int, ...]]] = []
        self._run(list(s), {}, entry, cpu, cur, "always", 0, out)
        return [(choices, nodes) for choices, _, _, nodes in out]

    def value(self, e: o.Expr, st: list[int], loc: dict[str, int], cpu: int, cur: int) -> int:
        """The value of an expression."""
        return self._expr(e)(st, loc, cpu, cur)

    def element(self, p: o.Place, st: list[int], loc: dict[str, int], cpu: int, cur: int) -> int:
        """The element of its variable that ``p`` names; raises Fault where there is none."""
        return self._element(p)(st, loc, cpu, cur)

    def outcomes(
        self, s: State, cpu: int, task: int, kind: str, node: int, start: str
    ) -> Iterator[Step]:
        """The steps of one of ``begun``."""
        m = self.m
        inst = cpu if kind == "irq" else task
        loc = self.locals(s, Action(cpu, task, kind, start), node)
        out: list[tuple[tuple[int, ...], State | None, int, tuple[int, ...]]] = []
        self._run(list(s), loc, node, cpu, task + 1, kind, inst, out)
        for choices, state, bad, path in out:
            waits = state is None and isinstance(m.graph.nodes[path[-1]].op, o.Assume)
            yield Step(Action(cpu, task, kind, start, choices), state, bad, path, waits)

    def along(
        self, s: State, action: Action, nodes: Sequence[int]
    ) -> Iterator[tuple[int, list[int], dict[str, int]]]:
        """The nodes of a step of ``s``, each with the state and the locals before it."""
        m, left = self.m, iter(action.choices)
        st, cpu, cur = list(s), action.cpu, action.task + 1
        loc = self.locals(s, action, nodes[0])
        for i in nodes:
            yield i, st, loc
            op, run = m.graph.nodes[i].op, self.ops[i]
            if isinstance(op, o.Choose):
                loc[op.dst] = next(left)
            elif isinstance(op, o.Load | o.Store | o.Fresh | o.Assign) and run is not None:
                run(st, loc, cpu, cur)

    def locals(self, s: State, action: Action, first: int) -> dict[str, int]:
        """The locals of the frame that takes a step of ``s``, which begins at node ``first``."""
        if action.start:
            return {}
        m = self.m
        inst = action.cpu if action.kind == "irq" else action.task
        n, base = m.pc_step[action.kind], m.reg_at[action.kind]
        return {name: s[base + r * n + inst] for name, r in m.regs[first]}

    def is_stuck(self, steps: Iterable[Step]) -> bool:
        """Whether nothing but the environment moves, of all that a state allows."""
        return all(x.waits or x.action.start in self.m.graph.env for x in steps)

    def _run(
        self,
        st: list[int],
        loc: dict[str, int],
        node: int,
        cpu: int,
        cur: int,
        kind: str,
        inst: int,
        out: list[tuple[tuple[int, ...], State | None, int, tuple[int, ...]]],
        done: bool = False,
        bad: int = 0,
        choices: tuple[int, ...] = (),
        path: tuple[int, ...] = (),
    ) -> None:
        """Run one step from ``node``; each way through its choices appends one outcome.

        A condition on states (no frame: always, stuck) has no steps: it runs to its end.
        """
        g, f = self.m.graph, self.m.fused
        seen = list(path)
        while True:
            n = g.nodes[node]
            op = n.op
            if done and f.stops_before(n):
                out.append((choices, self._leave(st, loc, node, kind, inst), bad, tuple(seen)))
                return
            seen.append(node)
            try:
                if isinstance(op, o.Choose):
                    lo, hi = (self._expr(e)(st, loc, cpu, cur) for e in (op.lo, op.hi))
                    for value in range(lo, hi + 1):
                        self._run(
                            list(st),
                            {**loc, op.dst: value},
                            n.next[0],
                            cpu,
                            cur,
                            kind,
                            inst,
                            out,
                            done or f.cls[n.id] == 2,
                            bad,
                            (*choices, value),
                            tuple(seen),
                        )
                    return
                if isinstance(op, o.Branch):
                    taken = self._cond(node)(st, loc, cpu, cur)
                    node = n.next[0] if taken else n.next[1]
                elif isinstance(op, o.Assume):
                    if not self._cond(node)(st, loc, cpu, cur):
                        if bad:
                            # What a property has said before the wait is not taken back.
                            out.append((choices, None, bad, tuple(seen)))
                        self._refuse(choices, seen)
                        return
                    node = n.next[0]
                elif isinstance(op, o.Check):
                    if not self._cond(node)(st, loc, cpu, cur):
                        bad |= self.bit[op.prop]
                    node = n.next[0]
                elif isinstance(op, End):
                    out.append((choices, self._leave(st, loc, -1, kind, inst), bad, tuple(seen)))
                    return
                elif isinstance(op, Push):
                    k = self.m.pc_at[op.kind]
                    st[k + cur - 1] = f.pc_of[op.entry]
                    out.append(
                        (choices, self._leave(st, loc, n.next[0], kind, inst), bad, tuple(seen))
                    )
                    return
                else:
                    run = self.ops[node]
                    if run is not None:
                        run(st, loc, cpu, cur)
                    if n.id in f.leaves:
                        after = self._leave(st, loc, f.after_leaving(g, n.id), kind, inst)
                        out.append((choices, after, bad, tuple(seen)))
                        return
                    node = n.next[0]
            except Fault as fault:
                out.append((choices, None, bad | fault.bit, tuple(seen)))
                return
            done = done or (f.cls[n.id] == 2 and kind in self.m.pc_at)

    def _refuse(self, choices: tuple[int, ...], seen: list[int]) -> None:
        """A way ends at a wait."""
        if self.refused is not None:
            self.refused.append((choices, tuple(seen)))

    def _cond(self, node: int) -> Eval:
        run = self.ops[node]
        if run is None:
            op = self.m.graph.nodes[node].op
            assert isinstance(op, o.Branch | o.Assume | o.Check)
            self.ops[node] = run = self._expr(op.cond)  # type: ignore[assignment]
        return run  # type: ignore[return-value]

    def _leave(self, st: list[int], loc: dict[str, int], node: int, kind: str, inst: int) -> State:
        """The state in which frame ``kind`` of ``inst`` goes on at ``node`` (-1: it is over)."""
        m = self.m
        if kind == DRAIN:
            return tuple(st)
        if kind not in m.pc_at:
            return ()
        n, base = m.pc_step[kind], m.reg_at[kind]
        for r in range(len(m.reg_slots[kind])):
            st[base + r * n + inst] = 0
        if node >= 0:
            for name, r in m.regs[node]:
                st[base + r * n + inst] = loc.get(name, 0)
            st[m.pc_at[kind] + inst] = m.fused.pc_of[node]
        else:
            st[m.pc_at[kind] + inst] = 0
        return tuple(st)
