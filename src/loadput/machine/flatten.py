"""Inline every call, follow constants, and know at each node whether IRQs and preemption are on.

The context of a node is static: two ways to one place with different preempt counts are two nodes.
"""

from __future__ import annotations

from collections.abc import Collection

from ..base.clock import look
from ..base.errors import IRError, LinkError
from ..base.source import Span
from ..ir import ops as o
from ..ir.eval import fold, is_here, is_simple, is_true
from ..ir.types import VOID, CpuId, Type, bounds
from ..lang.guess import INT
from ..lang.place import PINNED
from ..link.program import Program
from .calls import Calls, Ctx, in_order, qualified
from .counters import FOLLOWED, SOME, Counts, uncounted
from .nodes import BEGINS, FRAMES, Cut, End, FlatOp, Graph, Node, Push, Restrict

MAX_NODES = 60_000
# No path nests preempt_disable() as deep: a count that comes here grows with every pass of a loop.
MAX_COUNT = 8
BALANCED = "CONTEXT-BALANCED"


class Flattener(Calls):
    """Builds the graph of a program: `run` gives it; ``barriers`` of these kinds are nodes."""

    def __init__(
        self, program: Program, functions: dict[str, o.Function], barriers: Collection[str] = ()
    ) -> None:
        super().__init__(functions)
        self.p, self.barriers = program, barriers
        self.fns = functions
        self.blocks = {n: {b.label: b.ops for b in f.blocks} for n, f in functions.items()}
        self.nodes: list[Node] = []
        self.index: dict[object, int] = {}
        self.todo: list[tuple[int, list[Ctx]]] = []
        self.entries: dict[tuple[str, str], int] = {}
        self.kind = ""
        self.whole = False
        self.opened = (0, False)
        self.branches: dict[tuple[str, Span], set[bool]] = {}
        self.values: dict[tuple[str, str], set[int]] = {}

    def run(self) -> Graph:
        """Return the graph; raises LinkError LP0410 (too large, recursion)."""
        try:
            return self._run()
        except Counts as e:
            fn, name = e.args
            new = uncounted(self.fns[fn], name, self.fns)
            if new is None:
                raise _too_large(self.fns[fn], self.fns[fn].span) from None
            return Flattener(self.p, {**self.fns, fn: new}, self.barriers).run()

    def _run(self) -> Graph:
        frame = {n: a[6:] for n, f in self.fns.items() for a in f.attrs if a.startswith("frame:")}
        roles = {n: set(f.attrs) for n, f in self.fns.items()}
        used = ["idle", *dict.fromkeys(t.runs for t in self.p.scenario.tasks)]
        for name in dict.fromkeys(used):
            self._entry("main", name)
        starts: dict[str, list[str]] = {k: [] for k in BEGINS}
        for prop in self.p.properties:
            if prop.kind in ("always", "stuck") and prop.fn is not None:
                self._entry(prop.kind, prop.fn.name)
        for name in sorted(roles):
            for role, kind in (("irq", "irq"), ("preempt", frame.get(name, ""))):
                if role in roles[name]:
                    self._entry(kind, name)
                    starts[kind].append(name)
        for n in self.nodes:
            # Where a task goes on after the scheduler ran in its own frame, or when it is
            # switched to again: interrupts and preemption come back at once.
            while isinstance(n.op, Push) and isinstance(self.nodes[n.next[0]].op, Cut):
                n.next = list(self.nodes[n.next[0]].next)
        env = {n for n, r in roles.items() if "env" in r}
        dead = [
            (fn, span, not next(iter(v)))
            for (fn, span), v in sorted(
                self.branches.items(), key=lambda kv: (kv[0][0], kv[0][1].line)
            )
            if len(v) == 1
        ]
        forgets = {n for n, r in roles.items() if "forget" in r}
        return Graph(self.nodes, self.entries, starts, env, dead, forgets)

    def condition(self, name: str, args: tuple[o.Expr, ...] = ()) -> int:
        """The first node of a condition on states, function ``name`` with ``args``."""
        return self._entry("always", name, args=args)

    def _entry(
        self,
        kind: str,
        name: str,
        *,
        depth: int = 0,
        irqs_off: bool = False,
        args: tuple[o.Expr, ...] = (),
    ) -> int:
        label = name + (
            "(" + ",".join(str(a.value) for a in args if isinstance(a, o.Const)) + ")"
            if args
            else ""
        )
        key = (kind, label)
        if key in self.entries:
            return self.entries[key]
        fn = self.fns[name]
        subst = dict(zip((n for n, _ in fn.params), args, strict=False))
        was, self.kind = self.kind, kind
        opened, self.opened = self.opened, (depth, irqs_off)
        # The idle task is never preempted: what it calls of the scheduler is its own code.
        keep, self.whole = self.whole, "idle" in fn.attrs
        inst = self.inst(self.kind, fn, None, ("", 0), "", subst)
        off = irqs_off or kind not in ("main", "sched")
        first = fn.blocks[0].label
        self.entries[key] = self._goto(Ctx(inst, first, 0, depth, off, 0, self.unset(inst)))
        while self.todo:
            if len(self.nodes) & 1023 == 0:
                look()
            node, ctxs = self.todo.pop()
            self.nodes[node].next = [self._goto(c) for c in ctxs]
        self.kind, self.whole, self.opened = was, keep, opened
        return self.entries[key]

    # expressions

    def _resolve(self, e: o.Expr, c: Ctx, env: dict[tuple[int, str], o.Expr]) -> o.Expr:
        if isinstance(e, o.Local):
            if e.name in c.inst.subst:
                return c.inst.subst[e.name]
            known = env.get((c.inst.id, e.name))
            return known if known is not None else o.Local(qualified(c.inst.id, e.name))
        if isinstance(e, o.Sym):
            return o.Const(self.p.decls.consts[e.name], e.name)
        if isinstance(e, o.Leaf):
            if e.name == "irqs_disabled":
                return o.Const(int(c.irqs_off))
            if e.name == "preempt_count":
                return o.Const(c.depth)
            if e.name == "in_irq":
                return o.Const(int(self.kind == "irq"))
            return e
        if isinstance(e, o.Un):
            return fold(o.Un(e.op, self._resolve(e.a, c, env)))
        if isinstance(e, o.Bin):
            return fold(o.Bin(e.op, self._resolve(e.a, c, env), self._resolve(e.b, c, env)))
        return e

    # walking

    def _goto(self, c: Ctx) -> int:
        c = c.at(c.label, c.i, self.prune(c))
        for _ in range(20_000):
            nxt = self._advance(c)
            if isinstance(nxt, int):
                return nxt
            c = nxt
        raise LinkError(
            "LP0410", f"endless loop without a step in {c.inst.fn.name}", span=c.inst.fn.span
        )

    def _node(self, c: Ctx, op: FlatOp, nexts: list[Ctx], extra: object = None) -> int:
        key = (
            self.kind,
            c.inst.id,
            c.label,
            c.i,
            c.depth,
            c.irqs_off,
            c.atomic,
            self.prune(c),
            c.pending,
            extra,
        )
        if key in self.index:
            return self.index[key]
        if len(self.nodes) >= MAX_NODES:
            most = max(self.values, key=lambda k: len(self.values[k]), default=None)
            if most is not None and len(self.values[most]) > SOME:
                raise Counts(*most)
            raise _too_large(c.inst.fn, op.span)
        n = Node(len(self.nodes), self.kind, op, c.inst.stack, c.depth, c.irqs_off, c.atomic)
        self.nodes.append(n)
        self.index[key] = n.id
        self.todo.append((n.id, nexts))
        return n.id

    def _advance(self, c: Ctx) -> Ctx | int:
        """One operation further, or the node that it needs."""
        if c.pending:
            (key, expr, span), rest = c.pending[0], c.pending[1:]
            late = o.Assign(qualified(*key), expr, span)
            return self._node(c, late, [c._replace(pending=rest)])
        op = self.blocks[c.inst.fn.name][c.label][c.i]
        if isinstance(op, o.Jump):
            return c.at(op.to, 0, c.env)
        env = dict(c.env)
        if isinstance(op, o.Assign):
            e = self._resolve(op.expr, c, env)
            after = c.at(c.label, c.i + 1, c.env)
            return self._assign(c, (c.inst.id, op.dst), e, op.span, after)
        if isinstance(op, o.Branch):
            return self._branch(c, op, self._resolve(op.cond, c, env))
        if isinstance(op, o.Call):
            return self._call(c, op, env)
        if isinstance(op, o.Return):
            return self._return(c, op, env)
        if isinstance(op, o.Ctl):
            return self._ctl(c, op, env)
        if isinstance(op, o.Barrier):
            after = c.at(c.label, c.i + 1, c.env)
            return self._node(c, op, [after]) if op.kind in self.barriers else after
        if isinstance(op, o.Atomic):
            after = c._replace(i=c.i + 1, atomic=c.atomic + (1 if op.on else -1))
            outer = c.atomic == (0 if op.on else 1)
            if outer and op.on and op.ghost and (empty := self._after_empty(after)):
                return empty
            return self._node(c, op, [after]) if outer else after
        return self._memory(c, op, env)

    def _after_empty(self, c: Ctx) -> Ctx | None:
        """Where a region of hooks that begins here ends, if nothing of it is left: what it asks was
        known at link."""
        at: Ctx | int = c
        while not isinstance(at, int):
            op = self.blocks[at.inst.fn.name][at.label][at.i]
            if isinstance(op, o.Atomic) and not op.on and at.atomic == 1 and not at.pending:
                return at._replace(i=at.i + 1, atomic=0)
            at = self._advance(at)
        return None

    def _memory(self, c: Ctx, op: o.Op, env: dict[tuple[int, str], o.Expr]) -> Ctx | int:
        after = c.at(c.label, c.i + 1, c.env)
        if isinstance(op, o.Load | o.Store | o.Fresh):
            p = op.place
            index = self._resolve(p.index, c, env) if p.index is not None else None
            sub = self._resolve(p.sub, c, env) if p.sub is not None else None
            place = o.Place(p.var, index, sub)
            if isinstance(op, o.Load) and op.mark == "late" and not self.barriers:
                # No store ever waits.
                return self._assign(c, (c.inst.id, op.dst), o.Const(0), op.span, after)
            if isinstance(op, o.Load):
                return self._define(
                    c, (c.inst.id, op.dst), after, lambda q: o.Load(q, place, op.mark, op.span)
                )
            if isinstance(op, o.Store):
                e = self._resolve(op.expr, c, env)
                if self.kind == "irq" and p.var == "current_task":
                    # An interrupt has no stack to switch from: to no task, which is a fault.
                    e = o.Const(-1)
                return self._node(c, o.Store(place, e, op.mark, op.span), [after])
            return self._node(c, o.Fresh(place, self._resolve(op.owner, c, env), op.span), [after])
        if isinstance(op, o.Choose):
            lo, hi = self._resolve(op.lo, c, env), self._resolve(op.hi, c, env)
            return self._choose(c, (c.inst.id, op.dst), after, (lo, hi), op.why, op.span)
        if isinstance(op, o.Assume):
            e = self._resolve(op.cond, c, env)
            return after if is_true(e) else self._node(c, o.Assume(e, op.span), [after])
        if isinstance(op, o.Check):
            e = self._resolve(op.cond, c, env)
            # Nobody leaves a CPU within one step, and what a property asks is asked in one.
            if op.prop == PINNED and (c.atomic or is_true(e)):
                return after
            return self._node(c, o.Check(op.prop, e, op.span), [after])
        raise IRError("LP0302", f"cannot flatten {type(op).__name__}", span=op.span)

    def _define(self, c: Ctx, key: tuple[int, str], after: Ctx, make: object) -> Ctx | int:
        """A node that writes local ``key``; copies of its old value are saved before."""
        held = self.dependents(c, key)
        if held:
            return held
        env = tuple(kv for kv in after.env if kv[0] != key)
        return self._node(c, make(qualified(*key)), [after.at(after.label, after.i, env)])  # type: ignore[operator]

    def _choose(
        self,
        c: Ctx,
        key: tuple[int, str],
        after: Ctx,
        ends: tuple[o.Expr, o.Expr],
        why: str,
        span: Span,
    ) -> Ctx | int:
        return self._define(c, key, after, lambda q: o.Choose(q, *ends, why, span))

    def _assign(self, c: Ctx, key: tuple[int, str], e: o.Expr, span: Span, after: Ctx) -> Ctx | int:
        env = dict(after.env)
        here = is_here(e)
        own = qualified(*key) in self.locals_in(e)
        fixed = c.depth > 0 or c.irqs_off
        if own and isinstance(e, o.Local):
            return after
        held = self.dependents(c, key)
        if held:
            return held
        if not own and (fixed or not here) and is_simple(e):
            if isinstance(e, o.Const):
                values = self.values.setdefault((c.inst.fn.name, key[1]), set())
                values.add(e.value)
                if len(values) > FOLLOWED:
                    raise Counts(c.inst.fn.name, key[1])
            env[key] = e
            return after.at(after.label, after.i, in_order(env))
        env.pop(key, None)
        after = after.at(after.label, after.i, in_order(env))
        return self._node(c, o.Assign(qualified(*key), e, span), [after])

    def _branch(self, c: Ctx, op: o.Branch, e: o.Expr) -> Ctx | int:
        then, other = c.at(op.then, 0, c.env), c.at(op.other, 0, c.env)
        taken = self.branches.setdefault((c.inst.fn.name, op.span), set())
        if isinstance(e, o.Const):
            taken.add(bool(e.value))
            return then if e.value else other
        taken |= {True, False}
        return self._node(c, o.Branch(e, "", "", op.span), [then, other])

    def _call(self, c: Ctx, op: o.Call, env: dict[tuple[int, str], o.Expr]) -> Ctx | int:
        args = tuple(self._resolve(a, c, env) for a in op.args)
        fn = self.fns.get(op.fn)
        after = c._replace(i=c.i + 1)
        if fn is None:
            if not op.dst:
                return after
            ends = self._any(c.inst.fn.type_of(op.dst))
            return self._choose(c, (c.inst.id, op.dst), after, ends, f"opaque {op.fn}", op.span)
        frame = next((a[6:] for a in fn.attrs if a.startswith("frame:")), self.kind)
        if frame != self.kind and self.kind == "irq":
            # __schedule_bug(), kernel/sched/core.c: scheduling while atomic; it has no frame here.
            return self._node(c, o.Check("KERNEL-WARN", o.Const(0), op.span), [after])
        if frame != self.kind and not self.whole:
            if not all(isinstance(a, o.Const) for a in args):
                raise LinkError(
                    "LP0411",
                    f"{op.fn} called with a value that is not fixed",
                    span=op.span,
                    expected="constants: it runs in a frame of its own",
                )
            todo, self.todo = self.todo, []
            entry = self._entry(frame, op.fn, depth=c.depth, irqs_off=c.irqs_off, args=args)
            self.todo = todo
            return self._node(c, Push(frame, entry, op.span), [after])
        subst: dict[str, o.Expr] = {}
        pending = []
        late = []
        for (name, _), a in zip(fn.params, args, strict=False):
            if name in self.assigned[fn.name] or is_here(a):
                late.append((name, a))
            else:
                subst[name] = a
        inst = self.inst(self.kind, fn, c.inst, (c.label, c.i + 1), op.dst, subst)
        fixed = c.depth > 0 or c.irqs_off
        env.update(self.unset(inst))
        for name, a in late:
            if fixed and is_simple(a):
                env[(inst.id, name)] = a
            else:
                pending.append(((inst.id, name), a, op.span))
        return Ctx(
            inst,
            fn.blocks[0].label,
            0,
            c.depth,
            c.irqs_off,
            c.atomic,
            in_order(env),
            tuple(pending),
        )

    def _any(self, t: Type) -> tuple[o.Const, o.Const]:
        """The bounds of what a function without a body may give where ``t`` is wanted.

        An int whose use tells nothing (`lang.guess.INT`) is -1, 0 or 1.
        """
        if t == INT:
            return o.Const(-1), o.Const(1)
        lo, hi = bounds(t, self.p.scenario.sizes, self.p.count_of) if t != VOID else (0, 1)
        return o.Const(max(lo, 0) if isinstance(t, CpuId) else lo), o.Const(hi)

    def _return(self, c: Ctx, op: o.Return, env: dict[tuple[int, str], o.Expr]) -> Ctx | int:
        inst = c.inst
        if inst.parent is None:
            if self.kind in ("always", "stuck") and op.expr is not None and c.atomic == 0:
                e = self._resolve(op.expr, c, env)
                end = c._replace(atomic=-1)
                prop = inst.fn.name.replace("_", "-")
                return end if is_true(e) else self._node(c, o.Check(prop, e, op.span), [end])
            depth, off = self.opened
            if self.kind == "irq":
                off = c.irqs_off
            if self.kind in FRAMES[1:] and (c.depth, c.irqs_off) != (depth, off):
                # What it leaves disabled or enabled stays so for whoever it came between.
                end = c._replace(depth=depth, irqs_off=off)
                return self._unbalanced(c, end, op.span)
            return self._node(c, End(op.span), [])
        label, i = inst.back
        back = Ctx(inst.parent, label, i, c.depth, c.irqs_off, c.atomic, c.env)
        if not inst.dst or op.expr is None:
            return back
        e = self._resolve(op.expr, c, env)
        return self._assign(c, (inst.parent.id, inst.dst), e, op.span, back)

    def _unbalanced(self, c: Ctx, after: Ctx, span: Span) -> Ctx | int:
        """It is told, where the program is asked for it, and the counts go on as they were."""
        asked = any(q.name == BALANCED and not q.applies for q in self.p.properties)
        return self._node(c, o.Check(BALANCED, o.Const(0), span), [after]) if asked else after

    def _ctl(self, c: Ctx, op: o.Ctl, env: dict[tuple[int, str], o.Expr]) -> Ctx | int:
        depth, off = c.depth, c.irqs_off
        after_env = dict(c.env)
        if op.what == "preempt_disable":
            depth += 1
        elif op.what.startswith("preempt_enable"):
            depth -= 1
        elif op.what == "preempt_reset":
            depth = 0
        elif op.what == "irq_save":
            after_env[(c.inst.id, op.var)] = o.Const(int(off))
            off = True
        elif op.what == "irq_restore":
            was = env.get((c.inst.id, op.var))
            if not isinstance(was, o.Const):
                raise LinkError(
                    "LP0412", f"flags '{op.var}' restored but not saved here", span=op.span
                )
            off = bool(was.value)
        else:
            off = op.what == "irq_disable"
        if not 0 <= depth <= MAX_COUNT:
            # A bug of the program's: it is told, and the count stays where it was.
            after = c._replace(i=c.i + 1)
            return self._unbalanced(c, after, op.span)
        if self.kind == "irq":
            off = True
        was_open, is_open = (c.depth == 0 and not c.irqs_off), (depth == 0 and not off)
        if is_open and not was_open:
            lost = [
                (k, e, op.span)
                for k, e in c.env
                if is_here(e) and self.is_live(c._replace(i=c.i + 1), k)
            ]
            if lost:
                keys = {k for k, _, _ in lost}
                return c._replace(
                    env=tuple(kv for kv in c.env if kv[0] not in keys), pending=tuple(lost)
                )
        after = c._replace(
            i=c.i + 1,
            depth=depth,
            irqs_off=off,
            env=in_order(after_env),
        )
        looser = (c.irqs_off and not off) or (is_open and not was_open)
        tighter = (off and not c.irqs_off) or (was_open and not is_open)
        if looser:
            return self._node(c, Cut(op.span), [after])
        return self._node(c, Restrict(op.span), [after]) if tighter else after


def _too_large(fn: o.Function, span: Span) -> LinkError:
    return LinkError("LP0410", f"more than {MAX_NODES} nodes in {fn.name}", span=span)
