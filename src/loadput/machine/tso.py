"""x86-TSO as a program: a store waits in its CPU's buffer until it becomes visible to the others.

The graph of a program is rewritten, before what a step is is decided: a store that others could
miss goes to the end of its CPU's buffer, a load looks there first, what the architecture orders
waits until the buffer is empty, and one more frame per CPU, `DRAIN`, lets the oldest store become
visible at any time. The buffers are ordinary variables, so that every engine, reduction and export
works on the program that comes out. docs/memory.md says which stores need that, and why that is
enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import VarDecl
from ..link.program import Program
from .delayed import FULL, TOLD, Buffered, find_buffered
from .forget import LATE, SHADOW, base_of, is_shadow
from .nodes import DRAIN, End, FlatOp, Graph, Node
from .values import Analysis, Var

SC, TSO, WEAK = "sc", "tso", "weak"
FULL_BUFFER = "STORE-BUFFER-FULL"
VISIBLE = "store_becomes_visible"
PREFIX = "__sb_"
KIND = PREFIX + "what"
OLD = PREFIX + "old_"
"""Begins the name of what keeps, per CPU, what a place had before another CPU wrote it: weak.py."""
HERE = o.Leaf("this_cpu")


def is_buffer(var: str) -> bool:
    """Whether a variable is a part of the store buffers."""
    return var.startswith(PREFIX)


def barriers_of(memory: str, told: bool = False) -> tuple[str, ...]:
    """The kinds of barriers that order something in that memory.

    :param told: those of a path too that only a weaker one has need of
    """
    if memory == SC:
        return ()
    return TOLD if told or memory == WEAK else FULL


def slot_of(start: str) -> int:
    """The slot of the buffer whose store becomes visible in the frame that begins so."""
    return int(start.removeprefix(VISIBLE).lstrip("_") or 0)


@dataclass(slots=True)
class Line:
    """Where the buffers keep what a store to one place needs.

    :param code: what says in ``__sb_what`` that a store is to this place
    :param index: the array with the instance, "" for a plain global
    :param sub: the array with the slot, "" where the place has one
    :param value: the array with the value
    """

    var: Var
    code: int
    index: str = ""
    sub: str = ""
    value: str = ""


@dataclass(slots=True)
class Buffers:
    """What became of the program's stores.

    :param lines: per place that is buffered, where a store to it is kept
    :param slots: how many stores a buffer holds
    :param watched: some path may need more: a run that does violates `FULL_BUFFER`
    :param was: per node that stands for one of the program's, what that does: a store that goes to
        the buffer, a load that finds its place there, a barrier
    :param made: per region that is none of the program's, the node that begins it
    :param weak: stores may pass stores, and `old` loads return what has been overwritten
    :param old: the places of those loads
    """

    lines: dict[str, Line] = field(default_factory=dict)
    slots: int = 0
    watched: bool = False
    was: dict[int, FlatOp] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)
    weak: bool = False
    old: frozenset[str] = frozenset()


def buffer_stores(p: Program, g: Graph) -> tuple[Program, Graph, Buffers]:
    """``p`` and its graph with store buffers; the graph is changed in place.

    :param g: with the nodes of barriers
    """
    a = Analysis(p, g)
    a.run()
    found = find_buffered(g, a)
    writer = Writer(p, g, a, found)
    if not found.stores:
        writer.drop_barriers()
        return p, g, Buffers()
    writer.run()
    return writer.program(), g, writer.buffers()


class Writer:
    """Rewrites the nodes: `run`, then `program`."""

    passing = False
    """Whether a store may become visible before earlier ones of its CPU."""

    def __init__(self, p: Program, g: Graph, a: Analysis, found: Buffered) -> None:
        self.p, self.g, self.a, self.v, self.found = p, g, a, a.v, found
        self.lines: dict[str, Line] = {}
        self.was: dict[int, FlatOp] = {}
        self.made: set[int] = set()
        self.asked = {
            n.op.place.var for n in g.nodes if isinstance(n.op, o.Load) and n.op.mark == "late"
        }
        self.arrays: dict[str, tuple[ty.Type, int]] = {}
        self.slots = max((depth + 1 for depth in found.stores.values()), default=0)
        for name in sorted({_place(g.nodes[i]).var for i in found.stores}):
            self._line(name)

    # declarations

    def _line(self, name: str) -> None:
        var = self.v.vars[name]
        line = Line(var, len(self.lines) + 1)
        if var.domain != "one":
            struct = name.partition(".")[0]
            index: ty.Type = ty.Ptr(struct) if var.by == "ptr" else ty.CPU
            line.index = self._array(f"index_{var.domain}_{var.by}", index)
        if var.length > 1:
            decl = self._decl(name)
            assert isinstance(decl.type, ty.Array)
            of = decl.type.length
            line.sub = self._array(f"slot_{of if isinstance(of, str) else 'number'}", ty.Int(0, 0))
            old = self.arrays[line.sub][0]
            assert isinstance(old, ty.Int)
            self.arrays[line.sub] = ty.Int(0, max(old.hi, var.length - 1)), 0
        line.value = self._array(self._sort(var.type), var.type)
        have = self.arrays[line.value][0]
        if isinstance(have, ty.Int) and isinstance(var.type, ty.Int):
            wide = ty.Int(min(have.lo, var.type.lo, 0), max(have.hi, var.type.hi, 0))
            self.arrays[line.value] = wide, 0
        self.lines[name] = line

    def _array(self, sort: str, t: ty.Type) -> str:
        empty = -1 if isinstance(t, ty.CpuId) else 0
        self.arrays.setdefault(PREFIX + sort, (t, empty))
        return PREFIX + sort

    def _sort(self, t: ty.Type) -> str:
        if isinstance(t, ty.Ptr):
            return f"pointer_{self.p.decls.structs[t.struct].per}"
        if isinstance(t, ty.Token):
            return f"token_{t.kind}"
        return "cpu" if isinstance(t, ty.CpuId) else "number"

    def _decl(self, name: str) -> VarDecl:
        struct, dot, f = name.partition(".")
        d = self.p.decls
        return d.structs[struct].fields[f] if dot else d.globals[struct]

    def program(self) -> Program:
        """The program with the buffers declared."""
        more = {KIND: VarDecl(KIND, ty.Array(ty.Int(0, len(self.lines)), self.slots), percpu=True)}
        for name, (t, empty) in self.arrays.items():
            more[name] = VarDecl(name, ty.Array(t, self.slots), percpu=True, init=empty)
        decls = replace(self.p.decls, globals={**self.p.decls.globals, **more})
        return replace(self.p, decls=decls)

    def buffers(self) -> Buffers:
        """What became of the program's stores."""
        return Buffers(self.lines, self.slots, self.found.watched, self.was, self.made)

    # nodes

    def run(self) -> None:
        """Rewrite them all."""
        f = self.found
        for i in sorted(f.stores):
            self._push(self.g.nodes[i])
        for i in sorted(f.loads):
            self._look(self.g.nodes[i], f.loads[i])
        for i in sorted(f.waits):
            self._wait(self.g.nodes[i])
        for (kind, _), i in sorted(self.g.entries.items()):
            if kind == "irq" and self.slots:
                self._wait_at(i)
        self.drop_barriers()
        if self.slots:
            self._drains()

    def drop_barriers(self) -> None:
        """A barrier has waited: nothing is left to do. Who asks whether a store waits is told."""
        for n in self.g.nodes:
            if isinstance(n.op, o.Barrier):
                self.was[n.id] = n.op
                n.op = o.Assign(f"{n.id}:barrier", o.Const(0), n.op.span)
            if isinstance(n.op, o.Load) and n.op.mark == "late":
                p = n.op.place
                if p.var in self.lines:
                    n.op = replace(n.op, place=replace(p, var=p.var + LATE), mark="once")
                else:
                    n.op = o.Assign(n.op.dst, o.Const(0), n.op.span)

    def _count(self, like: Node, p: o.Place, by: str, then: int) -> int:
        """Note that one store more, or less, to ``p`` waits, where that is asked for."""
        if p.var not in self.asked:
            return then
        at, was = replace(p, var=p.var + LATE), f"{len(self.g.nodes)}:waiting"
        new = o.Bin(by, o.Local(was), o.Const(1))
        then = self._new(like, o.Store(at, new, "once", like.op.span), [then])
        out = self._new(like, o.Load(was, at, "once", like.op.span), [then])
        return out

    def _new(self, like: Node, op: FlatOp, nexts: list[int], atomic: int = 1) -> int:
        n = Node(len(self.g.nodes), like.kind, op, like.stack, like.depth, like.irqs_off, atomic)
        n.next = nexts
        self.g.nodes.append(n)
        return n.id

    def _region(self, n: Node) -> tuple[Node, int]:
        """A place in a region where ``n`` stands, and where it goes on after.

        ``n`` becomes the region's begin, where it is in none.
        """
        if n.atomic:
            inner = n
            return inner, n.next[0]
        span = n.op.span
        after = self._new(n, o.Atomic(False, span), list(n.next))
        first = self._new(n, n.op, [after])
        n.op, n.next = o.Atomic(True, span), [first]
        self.made.add(n.id)
        return self.g.nodes[first], after

    def _at(self, array: str, slot: int) -> o.Place:
        return o.Place(array, HERE, o.Const(slot))

    def _push(self, n: Node) -> None:
        """``n`` puts what it writes at the end of the buffer."""
        depth = self.found.stores[n.id]
        inner, after = self._region(n)
        op = inner.op
        assert isinstance(op, o.Store)
        line, p = self.lines[op.place.var], op.place
        self._no_shadow(after, p)
        done = self._count(inner, p, "add", after)
        out = self._full(inner, op, after) if self.found.watched else -1
        for j in reversed(range(depth + 1)):
            rows = [(KIND, o.Const(line.code)), (line.index, p.index), (line.sub, p.sub)]
            rows += [(line.value, op.expr), *self._also(op)]
            at = done
            for array, e in reversed([(a, e) for a, e in rows if a and e is not None]):
                at = self._new(inner, o.Store(self._at(array, j), e, "once", op.span), [at])
            if j == depth and not self.found.watched:
                out = at
                continue
            what = f"{n.id}:what{j}"
            free = o.Bin("eq", o.Local(what), o.Const(0))
            out = self._new(inner, o.Branch(free, "", "", op.span), [at, out])
            out = self._new(inner, o.Load(what, self._at(KIND, j), "once", op.span), [out])
        out = self._guarded(n, inner, op, out, after)
        self.was[inner.id] = op
        inner.op, inner.next = o.Assign(f"{n.id}:push", o.Const(0), op.span), [out]

    def _also(self, op: o.Store) -> list[tuple[str, o.Expr]]:
        """What else the buffer keeps of a store."""
        return []

    def _guarded(self, n: Node, inner: Node, op: o.Store, push: int, after: int) -> int:
        """``push``, or where the store is a fault, the store, which is one."""
        p, var = op.place, self.v.vars[op.place.var]
        off = int(var.by == "ptr")
        rows = [(op.expr, var.lo, var.hi)]
        rows += [(p.index, off, off + var.count - 1)] if p.index is not None else []
        rows += [(p.sub, 0, var.length - 1)] if p.sub is not None else []
        out = push
        for e, lo, hi in rows:
            vals = set().union(*(self.a.values_in(ci, e) for ci in self.v.access.get(n.id, {})))
            for bound, cond in ((lo, "ge"), (hi, "le")):
                if all((x >= bound) if cond == "ge" else (x <= bound) for x in vals):
                    continue
                fault = self._new(inner, op, [after])
                test = o.Bin(cond, e, o.Const(bound))
                out = self._new(inner, o.Branch(test, "", "", op.span), [out, fault])
        return out

    def _full(self, inner: Node, op: o.Store, after: int) -> int:
        """A buffer that may be full is watched: a run that needs more room says so, and ends."""
        end = self._new(inner, o.Assume(o.Const(0), op.span), [after])
        return self._new(inner, o.Check(FULL_BUFFER, o.Const(0), op.span), [end])

    def _no_shadow(self, after: int, p: o.Place) -> None:
        """What says that the place is not dead any more is said when the store becomes visible."""
        i = after
        while isinstance(self.g.nodes[i].op, o.Atomic):
            i = self.g.nodes[i].next[0]
        n = self.g.nodes[i]
        if isinstance(n.op, o.Store) and n.op.place.var == p.var + SHADOW:
            n.op = o.Assign(f"{n.id}:shadow", o.Const(0), n.op.span)

    def _look(self, n: Node, depth: int) -> None:
        """``n`` reads the newest store of its CPU's buffer to the place, else memory."""
        inner, after = self._region(n)
        op = inner.op
        assert isinstance(op, o.Load)
        p, base = op.place, base_of(op.place.var)
        line = self.lines[base]
        out = self._new(inner, op, [after])
        for j in range(depth):
            got: FlatOp = o.Load(op.dst, self._at(line.value, j), op.mark, op.span)
            if is_shadow(p.var):
                got = o.Assign(op.dst, o.Const(0), op.span)
            at = self._new(inner, got, [after])
            self.was[at] = op
            for array, e in ((line.sub, p.sub), (line.index, p.index), (KIND, o.Const(line.code))):
                if not array or e is None:
                    continue
                name = f"{n.id}:{array}{j}"
                same = o.Bin("eq", o.Local(name), e)
                at = self._new(inner, o.Branch(same, "", "", op.span), [at, out])
                at = self._new(inner, o.Load(name, self._at(array, j), "once", op.span), [at])
            out = at
        inner.op, inner.next = o.Assign(f"{n.id}:look", o.Const(0), op.span), [out]

    def _wait(self, n: Node) -> None:
        """``n`` comes when the buffer is empty: a barrier, a region, a store behind no load."""
        if isinstance(n.op, o.Atomic):
            n.next = [self._empty(n, n.next[0])]
        elif n.atomic:
            first = self._new(n, n.op, list(n.next), n.atomic)
            n.op = o.Assign(f"{n.id}:wait", o.Const(0), n.op.span)
            n.next = [self._empty(n, first)]
        elif isinstance(n.op, End):
            over = self._new(n, n.op, [], 0)
            off = self._new(n, o.Atomic(False, n.op.span), [over])
            n.op, n.next = o.Atomic(True, n.op.span), [self._empty(n, off)]
        else:
            inner, _ = self._region(n)
            n.next = [self._empty(n, inner.id)]

    def _empty(self, like: Node, then: int) -> int:
        """Wait here, in a region, for the buffer to be empty."""
        what, span = f"{len(self.g.nodes)}:oldest", like.op.span
        none = o.Bin("eq", o.Local(what), o.Const(0))
        at = self._new(like, o.Assume(none, span), [then])
        return self._new(like, o.Load(what, self._at(KIND, 0), "once", span), [at])

    def _wait_at(self, entry: int) -> None:
        """An interrupt is taken when the buffer is empty: with the region that it begins with."""
        first = first_region(self.g, entry)
        if first >= 0:
            if first not in self.found.waits:
                self._wait(self.g.nodes[first])
            return
        n = self.g.nodes[entry]
        old = self._new(n, n.op, list(n.next), n.atomic)
        off = self._new(n, o.Atomic(False, n.op.span), [old])
        n.op = o.Atomic(True, n.op.span)
        n.next = [self._empty(n, off)]

    def _drains(self) -> None:
        """The frames that make a store visible: the oldest, or any that may pass those before."""
        self.g.starts[DRAIN] = []
        for slot in range(self.slots if self.passing else 1):
            self._drain(slot, f"{VISIBLE}_{slot}" if slot else VISIBLE)

    def _drain(self, slot: int, start: str) -> None:
        g, span = self.g, self.p.functions["idle"].span
        like = Node(-1, DRAIN, End(span), (VISIBLE,), 0, True, 0)
        end = self._new(like, End(span), [], 0)
        out = self._new(like, o.Atomic(False, span), [end])
        for array in reversed([KIND, *self.arrays]):
            empty = 0 if array == KIND else self.arrays[array][1]
            out = self._shift(like, array, slot, self.slots, empty, out)
        shift, ways = self._shifted(like, slot, out), -1
        for name, line in reversed(self.lines.items()):
            at = self._write(like, name, line, slot, shift)
            mine = o.Bin("eq", o.Local("drain:what"), o.Const(line.code))
            ways = at if ways < 0 else self._new(like, o.Branch(mine, "", "", span), [at, ways])
        some = o.Bin("ne", o.Local("drain:what"), o.Const(0))
        ways = self._new(like, o.Assume(some, span), [ways])
        ways = self._new(like, o.Load("drain:what", self._at(KIND, slot), "once", span), [ways])
        entry = self._new(like, o.Atomic(True, span), [ways], 0)
        g.entries[(DRAIN, start)] = entry
        g.starts[DRAIN].append(start)

    def _shift(self, like: Node, array: str, slot: int, end: int, empty: int, then: int) -> int:
        """What is kept in the slots after ``slot`` goes one slot forward; the last is empty."""
        span, out = like.op.span, then
        out = self._new(
            like, o.Store(self._at(array, end - 1), o.Const(empty), "once", span), [out]
        )
        for j in reversed(range(slot + 1, end)):
            name = f"drain:{array}{j}"
            to = o.Store(self._at(array, j - 1), o.Local(name), "once", span)
            out = self._new(like, to, [out])
            out = self._new(like, o.Load(name, self._at(array, j), "once", span), [out])
        return out

    def _shifted(self, like: Node, slot: int, then: int) -> int:
        """What else is done when the store of ``slot`` is out of the buffer."""
        return then

    def _memory_gets(self, like: Node, op: o.Store, then: int) -> int:
        """The store ``op`` becomes visible."""
        return self._new(like, op, [then])

    def _passes(self, like: Node, line: Line, slot: int, then: int) -> int:
        """A store in ``slot``, to a place of ``line``, may become visible now."""
        return then

    def _write(self, like: Node, name: str, line: Line, slot: int, then: int) -> int:
        """The store in ``slot``, to variable ``name``, becomes visible."""
        span = like.op.span
        index = o.Local(f"drain:{name}:index") if line.index else None
        sub = o.Local(f"drain:{name}:sub") if line.sub else None
        value = o.Local(f"drain:{name}:value")
        out = then
        if f"{name}{SHADOW}" in self.v.vars:
            place = o.Place(name + SHADOW, index, sub)
            out = self._new(like, o.Store(place, o.Const(0), "once", span), [out])
        out = self._count(like, o.Place(name, index, sub), "sub", out)
        store = o.Store(o.Place(name, index, sub), value, "once", span)
        out = self._memory_gets(like, store, out)
        out = self._passes(like, line, slot, out)
        rows: Iterable[tuple[str, o.Local | None]]
        rows = ((line.value, value), (line.sub, sub), (line.index, index))
        for array, local in rows:
            if local is not None:
                load = o.Load(local.name, self._at(array, slot), "once", span)
                out = self._new(like, load, [out])
        return out


def first_region(g: Graph, entry: int) -> int:
    """The node of the region that an interrupt begins with, after what is noted of it; else -1."""
    n, seen = g.nodes[entry], set[int]()
    while n.id not in seen:
        seen.add(n.id)
        if isinstance(n.op, o.Atomic) and n.op.on and not n.op.ghost:
            return n.id
        ghost = n.atomic or (isinstance(n.op, o.Atomic) and n.op.ghost)
        if not (ghost or isinstance(n.op, o.Assign)) or len(n.next) != 1:
            break
        n = g.nodes[n.next[0]]
    return -1


def _place(n: Node) -> o.Place:
    assert isinstance(n.op, o.Load | o.Store | o.Fresh)
    return n.op.place
