"""Memory weaker than TSO, in part: what a bug finder needs, and nothing that a CPU may not do.

As `tso`, but any store of the buffer may become visible, unless an earlier one is to the same place
or something orders the two. And a load may return what another CPU has overwritten since this CPU
last ordered its loads: it was done then. Per CPU and place the value that was overwritten last is
kept. docs/memory.md says what that leaves out, and why what is found is allowed by Linux's model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import VarDecl
from ..link.program import Program
from .delayed import FULL, Buffered, Finder, is_locked
from .forget import base_of
from .nodes import FRAMES, End, Graph, Node
from .tso import HERE, KIND, OLD, PREFIX, Buffers, Line, Writer, first_region
from .values import Analysis, is_switch
from .visible import region_of

MOST = 4
"""Stores that a buffer holds: a further one waits for room, which no CPU forbids."""
OPEN = PREFIX + "open"
"""Whether a CPU may yet load what is overwritten now, before it orders its loads."""
AFTER = PREFIX + "after_wmb"
RELEASE = PREFIX + "release"
EARLY = "early load"


@dataclass(slots=True)
class Weak(Buffered):
    """What becomes of a graph's nodes, more than of `Buffered`.

    :param early: the loads that may be done early
    :param reads: every load of the kernel's
    :param orders: what orders its CPU's loads: those after it are done after it. Each with whether
        one that may be early comes next
    :param closing: the loads after which none may be early before something orders them
    :param opened: where a value may be kept for such a load
    :param begins: the first nodes of tasks, where a load that may be early comes next
    :param fences: the barriers that order stores which may wait, with how many may
    :param hooks: what properties and monitors do
    """

    early: set[int] = field(default_factory=set)
    reads: set[int] = field(default_factory=set)
    orders: dict[int, bool] = field(default_factory=dict)
    closing: set[int] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)
    begins: dict[int, bool] = field(default_factory=dict)
    fences: dict[int, int] = field(default_factory=dict)
    hooks: set[int] = field(default_factory=set)


def weaken(p: Program, g: Graph) -> tuple[Program, Graph, Buffers]:
    """``p`` and its graph where stores and loads may be out of order; the graph is changed.

    :param g: with the nodes of every barrier
    """
    a = Analysis(p, g)
    a.run()
    found = WeakFinder(g, a).run()
    writer = _WeakWriter(p, g, a, found)
    if not found.stores and not found.early:
        writer.drop_barriers()
        return p, g, Buffers(weak=True)
    writer.run()
    out = writer.buffers()
    out.weak, out.watched, out.old = True, False, frozenset(writer.olds)
    return writer.program(), g, out


class WeakFinder(Finder):
    """Finds which stores may wait, and which loads may be early."""

    most = MOST

    def _empties(self, n: Node) -> bool:
        """As under TSO, but that an atomic which returns nothing orders nothing."""
        return not is_locked(n) and super()._empties(n)

    def run(self) -> Weak:
        """What has to wait, and where."""
        out = Weak()
        seen = {i for i in self.vis.kept if self._sees(self.g.nodes[i])}
        self._late(out, seen)
        self._early(out, seen)
        return out

    # stores

    def _late(self, out: Weak, seen: set[int]) -> None:
        """A store may wait where its CPU can do something after it that tells."""
        nodes = self.g.nodes
        stores = [i for i in sorted(self.vis.kept) if self._is_store(nodes[i])]
        pushed = {i for i in stores if isinstance(nodes[i].op, o.Store)} - self.empties
        direct = set(stores) - pushed
        ends = {n.id for n in nodes if isinstance(n.op, End) and n.kind == "sched"}
        known: dict[frozenset[int], set[int]] = {}
        late = set()
        for i in sorted(pushed):
            var = _place(nodes[i]).var
            others = frozenset(seen - self._own(i, seen)) | {
                k for k in stores if _place(nodes[k]).var != var
            }
            if others not in known:
                known[others] = self._leads_to(others | ends, self.empties)
            if any(m in known[others] for m in self._after(nodes[i])):
                late.add(i)
        while late:
            held = self._flow(late, direct)
            more = {i for i in pushed - late if i in held and held[i][1]}
            if not more:
                break
            late |= more  # it may pass those that wait, and so goes through the buffer
        else:
            return
        for i, (places, depth) in held.items():
            n = nodes[i]
            if i in late:
                out.watched = out.watched or depth >= self.most
                out.stores[i] = min(depth, self.most - 1)
            elif isinstance(n.op, o.Load) and n.op.mark != "late":
                if base_of(n.op.place.var) in places and n.kind in ("main", "sched", "irq"):
                    out.loads[i] = min(depth, self.most)
            elif depth and (i in self.empties or i in direct):
                out.waits.add(i)
            elif depth and isinstance(n.op, o.Barrier) and n.op.kind == "wmb":
                out.fences[i] = depth

    # loads

    def _early(self, out: Weak, seen: set[int]) -> None:
        """A load may be early where one of another place is before it, and nothing orders them."""
        nodes = self.g.nodes
        orders = {n.id for n in nodes if self._orders(n)}
        regions = [nodes[i] for i in orders if isinstance(nodes[i].op, o.Atomic)]
        inner = {k for n in regions for k in region_of(self.g, n)}
        out.hooks = self._in_hooks()
        out.reads = {i for i in self.vis.kept - out.hooks if self._is_read(nodes[i])}
        loads = out.reads & seen - inner
        depends = self._depends(seen)
        for i in sorted(loads):
            if nodes[i].atomic or not self._may_be_early(nodes[i], depends):
                continue
            back, var = self._back({i}, orders), _place(nodes[i]).var
            if any(k in back and _place(nodes[k]).var != var for k in loads - orders):
                out.early.add(i)
        if not out.early:
            return
        window = self._back(out.early, orders)
        for i in orders:
            out.orders[i] = any(m in window for m in self._after(nodes[i]))
        out.closing = {i for i in out.early if not any(m in window for m in self._after(nodes[i]))}
        for (kind, _), i in self.g.entries.items():
            if kind == "irq" or (kind == "main" and i in window):
                out.begins[i] = i in window
        todo = [i for i, opens in out.begins.items() if opens]
        todo += [m for i, opens in out.orders.items() if opens for m in self._after(nodes[i])]
        while todo:
            i = todo.pop()
            if i not in out.opened:
                out.opened.add(i)
                if i not in orders and i not in out.closing:
                    todo += self._after(nodes[i])

    def _in_hooks(self) -> set[int]:
        """What properties and monitors do, which is no access of the kernel's."""
        return {
            k
            for n in self.g.nodes
            if isinstance(n.op, o.Atomic) and n.op.on and n.op.ghost
            for k in region_of(self.g, n)
        }

    def _is_read(self, n: Node) -> bool:
        if not isinstance(n.op, o.Load) or n.op.mark == "late":
            return False
        return n.kind in FRAMES and base_of(n.op.place.var) == n.op.place.var and self._in_memory(n)

    def _may_be_early(self, n: Node, depends: set[str]) -> bool:
        """Whether it is a load of a number, by an address that no load of others' data gave."""
        p, var = _place(n), self.v.vars[_place(n).var]
        if isinstance(var.type, ty.Token) or p.var == "current_task":
            return False
        exprs = [e for e in (p.index, p.sub) if e is not None]
        if any(isinstance(x, o.Local) and x.name in depends for e in exprs for x in o.walk(e)):
            return False
        off = int(var.by == "ptr")
        for ci in self.v.access.get(n.id, {}):
            if p.index is not None:
                if any(not off <= x < off + var.count for x in self.a.values_in(ci, p.index)):
                    return False
            if p.sub is not None:
                if any(not 0 <= x < var.length for x in self.a.values_in(ci, p.sub)):
                    return False
        return True

    def _depends(self, seen: set[int]) -> set[str]:
        """The locals that follow from a load of what others write."""
        nodes = self.g.nodes
        out = {nodes[i].op.dst for i in seen if isinstance(nodes[i].op, o.Load)}  # type: ignore[union-attr]
        more = True
        while more:
            more = False
            for n in nodes:
                if not isinstance(n.op, o.Assign | o.Load) or n.op.dst in out:
                    continue
                read = {x.name for e in o.exprs_of(n.op) for x in o.walk(e) if _is_local(x)}  # type: ignore[union-attr]
                if read & out:
                    out.add(n.op.dst)
                    more = True
        return out

    def _orders(self, n: Node) -> bool:
        """Whether the loads of its CPU after ``n`` are done after it."""
        if n.atomic:
            return False
        if isinstance(n.op, o.Barrier):
            alone = not (n.op.kind == "locked" and n.next[0] in self.locked)
            return n.op.kind in (*FULL, "rmb") and alone
        if isinstance(n.op, o.Load):
            return n.op.mark == "acquire" and n.kind in ("main", "sched", "irq")
        if isinstance(n.op, End):
            return n.kind == "irq"
        if is_switch(n.op):
            return True
        if not isinstance(n.op, o.Atomic) or not n.op.on or n.op.ghost:
            return False
        row = [self.g.nodes[i] for i in region_of(self.g, n)]
        return any(
            isinstance(m.op, o.Barrier)
            or (isinstance(m.op, o.Store | o.Fresh) and self._in_memory(m))
            or (isinstance(m.op, o.Load) and m.op.mark == "acquire")
            for m in row
        )

    def _back(self, goals: Iterable[int], stops: set[int]) -> set[int]:
        """``goals``, and the nodes that lead to one without passing ``stops``."""
        out = set(goals)
        todo = list(out)
        while todo:
            for k in self.before.get(todo.pop(), ()):
                if k not in out and k not in stops:
                    out.add(k)
                    todo.append(k)
        return out


class _WeakWriter(Writer):
    """Rewrites the nodes."""

    passing = True
    found: Weak

    def __init__(self, p: Program, g: Graph, a: Analysis, found: Weak) -> None:
        super().__init__(p, g, a, found)
        self.cpus = p.scenario.cpus
        self.olds: dict[str, set[int]] = {}
        for i in sorted(found.early):
            mine = self.olds.setdefault(_place(g.nodes[i]).var, set())
            mine.update(*self.v.access[i].values())
        self.releases = any(_is_release(g.nodes[i]) for i in found.stores)
        if self.releases:
            self._array("release", ty.BOOL)

    # declarations

    def program(self) -> Program:
        """The program with what this needs declared."""
        p = super().program() if self.slots else self.p
        more: dict[str, VarDecl] = {}
        if self.found.fences:
            more[AFTER] = VarDecl(AFTER, ty.Array(ty.BOOL, self.slots + 1), percpu=True)
        if self.olds:
            more[OPEN] = VarDecl(OPEN, ty.BOOL, percpu=True)
        for name in self.olds:
            var = self.v.vars[name]
            valid, value = _names(name)
            t, n = var.type, var.count * var.length
            if isinstance(t, ty.Int):
                t = ty.Int(min(t.lo, 0), max(t.hi, 0))
            more[valid] = VarDecl(valid, ty.Array(ty.BOOL, n), percpu=True)
            more[value] = VarDecl(value, ty.Array(t, n), percpu=True, init=self._none(name))
        return replace(p, decls=replace(p.decls, globals={**p.decls.globals, **more}))

    def _none(self, name: str) -> int:
        return -1 if isinstance(self.v.vars[name].type, ty.CpuId) else 0

    # nodes

    def run(self) -> None:
        """Rewrite them all."""
        g, f = self.g, self.found
        overwrites = [n.id for n in g.nodes if self._overwrites(n)] if self.olds else []
        for i in overwrites:
            inner, after = self._region(g.nodes[i])
            op = inner.op
            assert isinstance(op, o.Store)
            inner.next = [self._overwrite(inner, op, after, i in f.opened)]
            inner.op = o.Assign(f"{i}:write", o.Const(0), op.span)
        for i, opens in sorted(f.orders.items()):
            if i not in f.reads and (opens or self._is_open(i)):
                self._order(g.nodes[i], opens)
        for i in sorted(f.reads - set(f.loads)):
            if i in f.early or self._is_open(i) or f.orders.get(i, False):
                self._look(g.nodes[i], 0)
        for i, depth in sorted(f.fences.items()):
            self._fence(g.nodes[i], depth)
        super().run()
        for i, opens in sorted(f.begins.items()):
            self._begin(i, opens)

    def _is_open(self, i: int) -> bool:
        """Whether node ``i`` has to tell that a value which is kept is none to read any more."""
        n = self.g.nodes[i]
        return i in self.found.opened or (isinstance(n.op, End) and n.kind == "irq")

    def _overwrites(self, n: Node) -> bool:
        """Whether ``n`` is a store of the kernel's that is seen at once, to a place of `olds`."""
        if not isinstance(n.op, o.Store) or n.kind not in FRAMES or n.id in self.found.stores:
            return False
        return (
            n.op.place.var in self.olds and n.id in self.v.access and n.id not in self.found.hooks
        )

    def _order(self, n: Node, opens: bool) -> None:
        """Loads after ``n`` are done after it."""
        if isinstance(n.op, o.Atomic):
            n.next = [self._clear(n, opens, n.next[0])]
        elif isinstance(n.op, End):
            over = self._new(n, n.op, [], 0)
            off = self._new(n, o.Atomic(False, n.op.span), [over])
            n.op, n.next = o.Atomic(True, n.op.span), [self._clear(n, opens, off)]
        else:
            inner, _ = self._region(n)
            n.next = [self._clear(n, opens, inner.id)]

    def _begin(self, entry: int, opens: bool) -> None:
        """A frame begins: what it loads is loaded from then on."""
        n = self.g.nodes[entry]
        first = first_region(self.g, entry) if n.kind == "irq" else -1
        if first >= 0:
            n = self.g.nodes[first]
            n.next = [self._clear(n, self.found.orders.get(first, opens), n.next[0])]
            return
        old = self._new(n, n.op, list(n.next), n.atomic)
        off = self._new(n, o.Atomic(False, n.op.span), [old])
        n.op = o.Atomic(True, n.op.span)
        n.next = [self._clear(n, opens, off)]

    def _clear(self, like: Node, opens: bool, then: int) -> int:
        """Nothing that was overwritten before may be read by this CPU any more.

        :param opens: what is overwritten from now on may be
        """
        span = like.op.span
        rows = [(o.Place(OPEN, HERE), int(opens))]
        for name, cells in self.olds.items():
            valid, value = _names(name)
            for e in sorted(cells):
                rows.append((o.Place(valid, HERE, o.Const(e)), 0))
                rows.append((o.Place(value, HERE, o.Const(e)), self._none(name)))
        for place, x in rows:
            then = self._new(like, o.Store(place, o.Const(x), "once", span), [then])
        return then

    def _forget(self, like: Node, p: o.Place, then: int) -> int:
        """This CPU has seen what is there now: it reads nothing older of it, nor of its word."""
        var, span = self.v.vars[p.var], like.op.span
        valid, value = _names(p.var)
        for j in sorted({e % var.length for e in self.olds[p.var]}):
            at = self._flat(replace(p, sub=o.Const(j)))
            for array, x in ((value, self._none(p.var)), (valid, 0)):
                to = o.Store(o.Place(array, HERE, at), o.Const(x), "once", span)
                then = self._new(like, to, [then])
        return then

    def _flat(self, p: o.Place) -> o.Expr:
        """The number of a place among those of its variable."""
        var = self.v.vars[p.var]
        out: o.Expr = o.Const(0)
        if p.index is not None:
            out = o.Bin("sub", p.index, o.Const(1)) if var.by == "ptr" else p.index
        if var.length == 1:
            return out
        sub = p.sub if p.sub is not None else o.Const(0)
        return o.Bin("add", o.Bin("mul", out, o.Const(var.length)), sub)

    # stores

    def _memory_gets(self, like: Node, op: o.Store, then: int) -> int:
        if op.place.var not in self.olds:
            return super()._memory_gets(like, op, then)
        return self._overwrite(like, op, then, True)

    def _overwrite(self, like: Node, op: o.Store, then: int, opened: bool) -> int:
        """``op`` becomes visible: what it overwrites may be read by the others yet.

        :param opened: its own CPU may have kept something older
        """
        p, span = op.place, like.op.span
        valid, value = _names(p.var)
        if opened:
            then = self._forget(like, p, then)
        was, at, out = f"{len(self.g.nodes)}:was", self._flat(p), then
        for cpu in range(self.cpus):
            there = o.Const(cpu)
            set_ = self._new(
                like, o.Store(o.Place(valid, there, at), o.Const(1), "once", span), [out]
            )
            keep = o.Store(o.Place(value, there, at), o.Local(was), "once", span)
            set_ = self._new(like, keep, [set_])
            name = f"{len(self.g.nodes)}:open"
            test = self._new(like, o.Branch(o.Local(name), "", "", span), [set_, out])
            test = self._new(like, o.Load(name, o.Place(OPEN, there), "once", span), [test])
            mine = o.Bin("eq", HERE, there)
            out = self._new(like, o.Branch(mine, "", "", span), [out, test])
        other = o.Bin("ne", o.Local(was), op.expr)
        out = self._new(like, o.Branch(other, "", "", span), [out, then])
        out = self._new(like, op, [out])
        out = self._new(like, o.Load(was, p, "once", span), [out])
        self.was[out] = o.Assign(was, o.Const(0), span)
        return out

    def _full(self, inner: Node, op: o.Store, after: int) -> int:
        """No room: the store waits."""
        return self._new(inner, o.Assume(o.Const(0), op.span), [after])

    def _also(self, op: o.Store) -> list[tuple[str, o.Expr]]:
        return [(RELEASE, o.Const(int(op.mark == "release")))] if self.releases else []

    def _fence(self, n: Node, depth: int) -> None:
        """Stores after ``n`` come after those that wait: the first free slot is marked."""
        inner, after = self._region(n)
        span, out = n.op.span, -1
        for j in reversed(range(min(depth, self.slots) + 1)):
            mark = o.Store(o.Place(AFTER, HERE, o.Const(j)), o.Const(1), "once", span)
            at = self._new(inner, mark, [after]) if j else after
            if out < 0:
                out = at
                continue
            what = f"{n.id}:what{j}"
            free = o.Bin("eq", o.Local(what), o.Const(0))
            out = self._new(inner, o.Branch(free, "", "", span), [at, out])
            out = self._new(inner, o.Load(what, self._at(KIND, j), "once", span), [out])
        inner.next = [out]

    def _passes(self, like: Node, line: Line, slot: int, then: int) -> int:
        """Not before an earlier store to the same place, or what is ordered before it."""
        span = like.op.span
        no = self._new(like, o.Assume(o.Const(0), span), [then]) if slot else -1

        def unless(cond: o.Expr, local: str, place: o.Place, out: int) -> int:
            out = self._new(like, o.Branch(cond, "", "", span), [no, out])
            return self._new(like, o.Load(local, place, "once", span), [out])

        for j in range(slot):
            here = then
            what, index = f"drain:before{j}", f"drain:{line.var.name}:before{j}"
            at = no
            if line.index:
                same = o.Bin("eq", o.Local(index), o.Local(f"drain:{line.var.name}:index"))
                at = unless(same, index, self._at(line.index, j), here)
            mine = o.Bin("eq", o.Local(what), o.Const(line.code))
            then = self._new(like, o.Branch(mine, "", "", span), [at, here])
            then = self._new(like, o.Load(what, self._at(KIND, j), "once", span), [then])
            if self.found.fences:
                local = f"drain:after{j + 1}"
                then = unless(o.Local(local), local, self._at(AFTER, j + 1), then)
        if slot and self.releases:
            then = unless(o.Local("drain:late"), "drain:late", self._at(RELEASE, slot), then)
        return then

    def _shifted(self, like: Node, slot: int, then: int) -> int:
        if not self.found.fences:
            return then
        return self._shift(like, AFTER, max(slot, 1), self.slots + 1, 0, then)

    # loads

    def _look(self, n: Node, depth: int) -> None:
        """``n`` reads its CPU's newest store to the place, else memory, or what was there."""
        f = self.found
        if n.id not in f.reads:
            super()._look(n, depth)
            return
        inner, after = self._region(n)
        op = inner.op
        assert isinstance(op, o.Load)
        p, span = op.place, op.span
        opened = n.id in f.opened
        if n.id in f.closing or (n.id in f.orders and (opened or f.orders[n.id])):
            after = self._clear(inner, f.orders.get(n.id, False), after)
        out = self._new(inner, op, [after])
        if p.var in self.olds and opened:
            out = self._forget(inner, p, out)
        if n.id in f.early:
            out = self._old(inner, op, out, after)
        if depth:
            out = self._newest(n, inner, op, depth, out, after)
        inner.op, inner.next = o.Assign(f"{n.id}:look", o.Const(0), span), [out]

    def _old(self, inner: Node, op: o.Load, now: int, after: int) -> int:
        """Either what was overwritten last, where this CPU may read it yet, or what is there."""
        at, span = self._flat(op.place), op.span
        valid, value = _names(op.place.var)
        name = f"{len(self.g.nodes)}:early"
        out = self._new(inner, o.Load(op.dst, o.Place(value, HERE, at), op.mark, span), [after])
        self.was[out] = op
        out = self._new(inner, o.Branch(o.Local(name), "", "", span), [out, now])
        out = self._new(inner, o.Choose(name, o.Const(0), o.Const(1), EARLY, span), [out])
        test = f"{name}:valid"
        out = self._new(inner, o.Branch(o.Local(test), "", "", span), [out, now])
        return self._new(inner, o.Load(test, o.Place(valid, HERE, at), "once", span), [out])

    def _newest(self, n: Node, inner: Node, op: o.Load, depth: int, out: int, after: int) -> int:
        """The newest store of the buffer to the place, if any; one to its word has to wait."""
        p, line, span = op.place, self.lines[op.place.var], op.span
        wait = self._new(inner, o.Assume(o.Const(0), span), [after]) if line.sub else out
        for j in range(depth):
            at = self._new(inner, o.Load(op.dst, self._at(line.value, j), op.mark, span), [after])
            self.was[at] = op
            rows = ((line.sub, p.sub, wait), (line.index, p.index, out))
            for array, e, other in (*rows, (KIND, o.Const(line.code), out)):
                if not array or e is None:
                    continue
                name = f"{n.id}:{array}{j}"
                same = o.Bin("eq", o.Local(name), e)
                at = self._new(inner, o.Branch(same, "", "", span), [at, other])
                at = self._new(inner, o.Load(name, self._at(array, j), "once", span), [at])
            out = at
        return out


def _names(var: str) -> tuple[str, str]:
    """What says whether a CPU may read what a place had, and what that is."""
    name = var.replace(".", "_")
    return f"{OLD}{name}_valid", f"{OLD}{name}"


def _is_release(n: Node) -> bool:
    return isinstance(n.op, o.Store) and n.op.mark == "release"


def _is_local(x: object) -> bool:
    return isinstance(x, o.Local)


def _place(n: Node) -> o.Place:
    assert isinstance(n.op, o.Load | o.Store | o.Fresh)
    return n.op.place
