"""Every step of a machine as a tree: what `run.interp` does, over expressions instead of numbers.

A step is executed once for all states: memory is what was written since the step began, over the
state in which it began. Follows ``Interpreter._run`` line by line.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..base.errors import LoadputError
from ..ir import ops as o
from ..ir import types as ty
from ..machine.model import Machine
from ..machine.nodes import BEGINS, DRAIN, End, Push
from ..machine.values import is_kept, is_switch
from .cells import Cells
from .expr import E
from .tree import Tree, Trees, Write

NULL, RANGE = "NULL-DEREF", "IN-RANGE"
Guard = tuple[E, str]
"""What must be true for an access to be possible, and which property is violated if it is not."""
Memory = tuple[tuple[str, tuple[tuple[E, E], ...]], ...]


@dataclass(frozen=True, slots=True)
class _At:
    """Where a step is: node, memory, live locals, whether its visible operation is done."""

    node: int
    mem: Memory
    loc: tuple[tuple[str, E], ...]
    done: bool


class Steps:
    """Builds the tree of the step from one control point: what it writes, or what it violates."""

    def __init__(self, m: Machine, cells: Cells, trees: Trees) -> None:
        self.m, self.cells, self.t, self.x = m, cells, trees, cells.x
        self.fine, self.ill = trees.leaf(()), trees.leaf((), bad=True)
        self.ahead: dict[tuple[int, bool, bool], tuple[frozenset[str], frozenset[str]]] = {}
        self.live = m.live
        preds: dict[int, int] = {}
        for n in m.graph.nodes:
            for q in n.next:
                preds[q] = preds.get(q, 0) + 1
        self.joins = {n for n, k in preds.items() if k > 1}
        self.reached: set[int] = set().union(*m.values.reached.values())
        self.cpu = self.x.cpu(m.cpus)
        self.task = cells.read("current_task", self.cpu)
        self.me = self.x.bin("sub", self.task, self.x.one)
        self.tokens: dict[str, list[tuple[str, int]]] = {}
        for name in m.var_at:
            v = m.values.vars[name]
            if isinstance(v.type, ty.Token):
                self.tokens.setdefault(v.type.kind, []).extend(
                    (name, i) for i in range(len(v.init))
                )

    def tree(self, kind: str, node: int, *, starts: bool, prop: str = "") -> Tree:
        """The step of frame ``kind`` from ``node``; ``starts``: the frame begins there.

        :param prop: build what decides whether the step violates it, instead of what it writes
        """
        self.prop = prop
        self.kind, self.inst = kind, self.cpu if kind in ("irq", DRAIN) else self.me
        # A condition on states runs on no CPU, for no task.
        nowhere = kind not in BEGINS
        self.here = self.x.zero if nowhere else self.cpu
        self.cur = self.x.zero if nowhere else self.task
        self.start_regs = [] if starts or kind not in self.m.pc_at else self.m.regs[node]
        self.memo: dict[_At, Tree] = {}
        self.busy: set[_At] = set()
        loc = tuple((n, self.cells.read(f"{kind}.r{r}", self.inst)) for n, r in self.start_regs)
        return self._go(_At(node, (), loc, False))

    # one way through the graph

    def _go(self, a: _At) -> Tree:
        if self.prop:
            props, loads = self.sees(a.node, a.done)
            if self.prop not in props:
                return self.fine
            a = _At(a.node, tuple(m for m in a.mem if m[0] in loads), a.loc, a.done)
        a = _At(a.node, a.mem, self._live(a), a.done)
        if a not in self.memo:
            if a in self.busy:
                n = self.m.graph.nodes[a.node]
                raise LoadputError(
                    "LP0802", f"cannot export a loop inside one step, in {n.stack[-1]}"
                )
            self.busy.add(a)
            self.memo[a] = self._walk(a)
            self.busy.discard(a)
        return self.memo[a]

    def _live(self, a: _At) -> tuple[tuple[str, E], ...]:
        keep = self.live[a.node]
        return tuple(sorted(((k, e) for k, e in a.loc if k in keep), key=lambda p: p[0]))

    def _walk(self, a: _At) -> Tree:
        """Run on from ``a`` to the next decision, join or end."""
        mem, loc, node, done = dict(a.mem), dict(a.loc), a.node, a.done
        guards: list[Guard] = []
        out: Tree | None = None
        while out is None:
            n = self.m.graph.nodes[node]
            op = n.op
            if done and self.m.fused.stops_before(n):
                out = self._leave(mem, loc, node)
                break
            if guards or (node in self.joins and node != a.node):
                out = self._go(self._at(node, mem, loc, done))
                break
            after = done or (self.m.fused.cls[node] == 2 and self.kind in self.m.pc_at)
            if isinstance(op, o.Choose | o.Branch | o.Assume | o.Check):
                out = self._decide(node, mem, loc, after)
            elif isinstance(op, End):
                out = self._leave(mem, loc, -1)
            elif isinstance(op, Push):
                pc = self.x.const(self.m.fused.pc_of[op.entry])
                self._put(mem, f"{op.kind}.pc", self.me, pc)
                out = self._leave(mem, loc, n.next[0])
            else:
                guards = self._effect(op, mem, loc) if is_kept(op, self.m.values) else []
                never = [k for k, (c, _) in enumerate(guards) if c is self.x.zero]
                if never:
                    out = self._fault(guards[never[0]][1])
                    guards = guards[: never[0]]
                elif node in self.m.fused.leaves:
                    after_leaving = self.m.fused.after_leaving(self.m.graph, node)
                    out = self._leave(mem, loc, after_leaving)
                node, done = n.next[0], after
        for cond, prop in reversed(guards):
            out = self.t.cond(cond, out, self._fault(prop))
        return out

    def _fault(self, prop: str) -> Tree:
        """A place that is not there, or a value out of its bounds: nothing follows."""
        return self.ill if prop == self.prop else self.t.stop

    def _at(
        self,
        node: int,
        mem: dict[str, tuple[tuple[E, E], ...]],
        loc: dict[str, E],
        done: bool,
    ) -> _At:
        return _At(node, tuple(sorted(mem.items())), tuple(loc.items()), done)

    def _decide(
        self,
        node: int,
        mem: dict[str, tuple[tuple[E, E], ...]],
        loc: dict[str, E],
        done: bool,
    ) -> Tree:
        n = self.m.graph.nodes[node]
        op = n.op
        if isinstance(op, o.Choose):
            lo, hi = self._expr(op.lo, loc), self._expr(op.hi, loc)
            subs = tuple(
                self._go(self._at(n.next[0], mem, {**loc, op.dst: self.x.const(v)}, done))
                for v in range(lo.lo, hi.hi + 1)
            )
            return self.t.pick(lo, hi, lo.lo, subs, op.why or f"{op.span.file}:{op.span.line}")
        assert isinstance(op, o.Branch | o.Assume | o.Check)
        c = self.x.bin("ne", self._expr(op.cond, loc), self.x.zero)
        if isinstance(op, o.Check):
            good = self._at(n.next[0], mem, loc, done)
            if op.prop != self.prop:
                return self._go(good)
            return self.t.cond(c, self._way(c, True, good), self.ill)
        yes = self._way(c, True, self._at(n.next[0], mem, loc, done))
        if isinstance(op, o.Assume):
            return self.t.cond(c, yes, self.t.stop)
        no = self._way(c, False, self._at(n.next[1], mem, loc, done))
        # A way that no run takes needs no condition that keeps it from being taken.
        if n.next[0] not in self.reached or n.next[1] not in self.reached:
            return yes if n.next[0] in self.reached else no
        return self.t.cond(c, yes, no)

    def _way(self, c: E, truth: bool, a: _At) -> Tree:
        """``a``, unless ``c`` is known not to be ``truth`` or no run comes there."""
        never = c.op == "const" and bool(c.value) != truth
        return self.t.stop if never or a.node not in self.reached else self._go(a)

    def sees(self, node: int, done: bool) -> tuple[frozenset[str], frozenset[str]]:
        """What a step may still check, and which variables it may still load, from ``node``."""
        key = (node, done, self.kind in self.m.pc_at)
        if key not in self.ahead:
            n = self.m.graph.nodes[node]
            op = n.op
            props = {op.prop} if isinstance(op, o.Check) else set()
            if isinstance(op, o.Load | o.Store | o.Fresh) and is_kept(op, self.m.values):
                props = {NULL, RANGE}
            loads = {op.place.var} if isinstance(op, o.Load | o.Fresh) else set()
            if isinstance(op, o.Fresh):
                t = self.m.values.vars[op.place.var].type
                assert isinstance(t, ty.Token)
                loads |= {name for name, _ in self.tokens.get(t.kind, [])}
            loads |= {"current_task"} if is_switch(op) else set()
            ends = isinstance(op, Push | End) or node in self.m.fused.leaves
            if done and self.m.fused.stops_before(n):
                props, loads, ends = set(), set(), True
            after = done or (self.m.fused.cls[node] == 2 and key[2])
            self.ahead[key] = frozenset(), frozenset()
            for q in () if ends else n.next:
                more = self.sees(q, after)
                props |= more[0]
                loads |= more[1]
            self.ahead[key] = frozenset(props), frozenset(loads)
        return self.ahead[key]

    def _leave(
        self,
        mem: dict[str, tuple[tuple[E, E], ...]],
        loc: dict[str, E],
        node: int,
    ) -> Tree:
        """The step is over: as ``Interpreter._leave``, leaving out what is as it was."""
        if self.prop or self.kind not in BEGINS:
            return self.t.leaf(())
        if self.kind == DRAIN:
            return self._written(mem)
        held = {r: e for r, e in ((r, loc.get(n)) for n, r in self._regs(node)) if e is not None}
        before = {r for _, r in self.start_regs}
        for r in sorted(before | set(held)):
            self._put(mem, f"{self.kind}.r{r}", self.inst, held.get(r, self.x.zero))
        pc = self.m.fused.pc_of[node] if node >= 0 else 0
        self._put(mem, f"{self.kind}.pc", self.inst, self.x.const(pc))
        return self._written(mem)

    def _written(self, mem: dict[str, tuple[tuple[E, E], ...]]) -> Tree:
        """The end of a step, with what it has written."""
        return self.t.leaf(tuple(Write(n, i, e) for n in sorted(mem) for i, e in mem[n]))

    def _regs(self, node: int) -> list[tuple[str, int]]:
        return self.m.regs[node] if node >= 0 else []

    # expressions and memory

    def _expr(self, e: o.Expr, loc: dict[str, E]) -> E:
        if isinstance(e, o.Const):
            return self.x.const(e.value)
        if isinstance(e, o.Local):
            return loc.get(e.name, self.x.zero)
        if isinstance(e, o.Leaf):
            return self.here if e.name == "this_cpu" else self.cur
        if isinstance(e, o.Un):
            return self.x.un(e.op, self._expr(e.a, loc))
        assert isinstance(e, o.Bin)
        return self.x.bin(e.op, self._expr(e.a, loc), self._expr(e.b, loc))

    def _get(self, mem: dict[str, tuple[tuple[E, E], ...]], name: str, index: E) -> E:
        if name in self.m.constants:
            return self._constant(self.m.constants[name], index)
        out = None
        todo: list[tuple[E, E]] = []
        for i, value in reversed(mem.get(name, ())):
            same = self.x.bin("eq", i, index)
            if same is self.x.one:
                out = value
                break
            if same is not self.x.zero:
                todo.append((same, value))
        out = out if out is not None else self.cells.read(name, index)
        for same, value in reversed(todo):
            out = self.x.ite(same, value, out)
        return out

    def _constant(self, table: list[int], index: E) -> E:
        lo, hi = max(index.lo, 0), min(index.hi, len(table) - 1)
        out = self.x.const(table[hi])
        for i in range(hi - 1, lo - 1, -1):
            at = self.x.bin("eq", index, self.x.const(i))
            out = self.x.ite(at, self.x.const(table[i]), out)
        return out

    def _put(self, mem: dict[str, tuple[tuple[E, E], ...]], name: str, index: E, value: E) -> None:
        old = tuple((i, e) for i, e in mem.get(name, ()) if i is not index)
        mem[name] = (*old, (index, value))

    def _element(self, p: o.Place, loc: dict[str, E]) -> tuple[E, list[Guard]]:
        """The element of a place, and what must be true for there to be one."""
        x, var = self.x, self.m.values.vars[p.var]
        i = self._expr(p.index, loc) if p.index is not None else x.zero
        j = self._expr(p.sub, loc) if p.sub is not None else x.zero
        must: list[Guard] = []
        if p.index is not None and var.by == "ptr":
            must.append((x.bin("ne", i, x.zero), NULL))
            i = x.bin("sub", i, x.one)
        for e, n in ((i, var.count), (j, var.length)):
            must.append((x.bin("le", x.zero, e), RANGE))
            must.append((x.bin("lt", e, x.const(n)), RANGE))
        at = x.bin("add", x.bin("mul", i, x.const(var.length)), j) if var.length > 1 else i
        return at, [g for g in must if g[0] is not x.one]

    def _effect(
        self, op: object, mem: dict[str, tuple[tuple[E, E], ...]], loc: dict[str, E]
    ) -> list[Guard]:
        """Do ``op``; returns what must be true for it to be possible."""
        x = self.x
        if isinstance(op, o.Assign):
            loc[op.dst] = self._expr(op.expr, loc)
            return []
        if not isinstance(op, o.Load | o.Store | o.Fresh):
            return []
        at, must = self._element(op.place, loc)
        name = op.place.var
        if any(c is x.zero for c, _ in must):
            return must
        if isinstance(op, o.Load):
            loc[op.dst] = self._get(mem, name, at)
        elif isinstance(op, o.Store):
            var, e = self.m.values.vars[name], self._expr(op.expr, loc)
            more = [x.bin("le", x.const(var.lo), e), x.bin("le", e, x.const(var.hi))]
            if is_switch(op):
                more += self._may_take(at, e, mem)
            must += [(c, RANGE) for c in more]
            if name in self.m.var_at:
                self._put(mem, name, at, e)
        else:
            self._fresh(name, at, self._expr(op.owner, loc), mem)
        return [g for g in must if g[0] is not x.one]

    def _may_take(self, cpu: E, task: E, mem: dict[str, tuple[tuple[E, E], ...]]) -> list[E]:
        """What must be true for ``cpu`` to be given to ``task``."""
        x, s = self.x, self.m.program.scenario
        able = x.any(
            *(
                x.all(x.bin("eq", task, x.const(t + 1)), x.bin("eq", cpu, x.const(c)))
                for t in range(s.sizes.task)
                for c in sorted(s.cpus_of(t))
            )
        )
        out = [able]
        for c in range(s.cpus):
            other = self._get(mem, "current_task", x.const(c))
            out.append(x.any(x.bin("eq", cpu, x.const(c)), x.bin("ne", other, task)))
        return out

    def _fresh(self, name: str, at: E, owner: E, mem: dict[str, tuple[tuple[E, E], ...]]) -> None:
        """Every current copy of the owner's value grows old; the place gets the new one."""
        x = self.x
        t = self.m.values.vars[name].type
        assert isinstance(t, ty.Token)
        old = x.bin("mul", owner, x.const(2))
        new = x.bin("sub", old, x.one)
        for copy, i in self.tokens.get(t.kind, []):
            has = self.m.values.cells[copy][i]
            index = x.const(i)
            if not any(2 * w - 1 in has for w in range(max(1, owner.lo), owner.hi + 1)):
                continue
            if copy == name and at is index:
                continue
            held = self._get(mem, copy, index)
            aged = x.ite(x.bin("eq", held, new), old, held)
            if aged is not held:
                self._put(mem, copy, index, aged)
        if name in self.m.var_at:
            self._put(mem, name, at, x.ite(x.bin("lt", x.zero, owner), new, x.zero))
