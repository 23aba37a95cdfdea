"""What a number stands for, a CPU, a task's pointer or only a number; and whether operations care.

The sort of a variable is its declared type's. The sort of a local follows from what it is read
from, stored to, compared with and used as.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import VarDecl
from ..ir.eval import binary, unary
from .forget import base_of
from .model import Machine
from .nodes import DRAIN, Node
from .values import is_kept

CONTEXTS = ("task", "irq", DRAIN)
NUMBER = ("number", "")
MASK = ("mask", "cpu")
MOST_TRIED = 20_000
Sort = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Maps:
    """What one renaming makes of each CPU, task, vCPU and VM, and of values by their sort.

    ``tables`` has only what changes.
    """

    key: tuple[tuple[int, ...], ...]
    tables: dict[Sort, dict[int, int]]

    @property
    def cpus(self) -> tuple[int, ...]:
        return self.key[0]

    @property
    def tasks(self) -> tuple[int, ...]:
        return self.key[1]

    @property
    def title(self) -> str:
        """What is exchanged."""
        out = []
        for name, row in zip(("CPUs", "tasks", "vCPUs", "VMs"), self.key, strict=True):
            moved = [str(i) for i, k in enumerate(row) if i != k]
            if moved:
                out.append(f"{name} {', '.join(moved)}")
        return " with ".join(out)

    def of(self, domain: str) -> tuple[int, ...]:
        """What each element of ``domain`` becomes."""
        return (0,) if domain == "one" else self.key[ty.DOMAINS.index(domain) - 1]

    def value(self, sort: Sort, x: int) -> int:
        """What ``x`` becomes."""
        return self.tables.get(sort, {}).get(x, x)


def make_maps(*key: tuple[int, ...]) -> Maps:
    """The renaming of CPUs, tasks, vCPUs and VMs, in this order."""
    tables: dict[Sort, dict[int, int]] = {}
    for domain, row in zip(ty.DOMAINS[1:], key, strict=True):
        if row == tuple(range(len(row))):
            continue
        tables[("ptr", domain)] = {i + 1: k + 1 for i, k in enumerate(row)}
        tables[("id", domain)] = dict(enumerate(row))
        tables[("token", domain)] = {
            2 * i + j: 2 * k + j for i, k in enumerate(row) for j in (1, 2)
        }
        if domain == "cpu":
            tables[MASK] = {
                bits: sum(1 << k for i, k in enumerate(row) if bits >> i & 1)
                for bits in range(1 << len(row))
            }
    return Maps(key, tables)


class Sorts:
    """The sorts of a machine's variables and locals; ``conflict`` says where there is none."""

    def __init__(self, m: Machine) -> None:
        self.m, self.p = m, m.program
        reached = set()
        for i, c in enumerate(m.values.contexts):
            if c.kind in CONTEXTS:
                reached |= m.values.reached.get(i, set())
        self.nodes = [m.graph.nodes[i] for i in sorted(reached)]
        self.nodes = [n for n in self.nodes if is_kept(n.op, m.values)]
        self.parent: dict[str, str] = {}
        self.sort: dict[str, Sort] = {}
        self.conflict = ""
        self.values: dict[str, set[int]] = {}
        for (i, name), vals in m.values.locals.items():
            if m.values.contexts[i].kind in CONTEXTS:
                self.values.setdefault(name, set()).update(vals)
        for n in self.nodes:
            self._infer(n)
        # What is read before it is written is 0, which no renaming changes.
        live = m.live
        self.loose = {name for i in m.graph.entries.values() for name in live[i]}
        for name in self.loose:
            self.values.setdefault(name, set()).add(0)

    # sorts

    def _decl(self, name: str) -> VarDecl:
        name = base_of(name)
        struct, dot, name_in = name.partition(".")
        d = self.p.decls
        return d.structs[struct].fields[name_in] if dot else d.globals[struct]

    def of_var(self, name: str) -> Sort:
        """The sort of a variable's values."""
        if base_of(name) != name:
            return NUMBER
        d, t = self._decl(name), self.m.values.vars[name].type
        if d.init == "allowed_cpus":
            return MASK
        if isinstance(t, ty.Ptr):
            return ("ptr", self.p.decls.structs[t.struct].per)
        if isinstance(t, ty.CpuId):
            return ("id", "cpu")
        return ("token", t.domain) if isinstance(t, ty.Token) else NUMBER

    def _slot_sort(self, name: str) -> Sort:
        """The sort of an array's slot numbers."""
        t = self._decl(name).type
        if isinstance(t, ty.Array) and isinstance(t.length, str):
            return ("id", t.length)
        return NUMBER

    def _index_sort(self, name: str) -> Sort:
        var = self.m.values.vars[name]
        return ("ptr", var.domain) if var.by == "ptr" else ("id", "cpu")

    def of_local(self, name: str) -> Sort:
        """The sort of a local."""
        return self.sort.get(self._root(name), NUMBER)

    def element(self, name: str, i: int, maps: Maps) -> int:
        """The place of element ``i`` of a variable in the renamed state."""
        var = self.m.values.vars[name]
        first, slot = divmod(i, var.length)
        first = maps.of(var.domain)[first]
        return first * var.length + maps.value(self._slot_sort(name), slot)

    # inference

    def _root(self, name: str) -> str:
        while self.parent.get(name, name) != name:
            name = self.parent[name]
        return name

    def _same(self, a: o.Expr, b: o.Expr) -> None:
        if isinstance(b, o.Local) and not isinstance(a, o.Local):
            a, b = b, a
        if not isinstance(a, o.Local):
            return
        if isinstance(b, o.Leaf):
            self._is(a, _leaf(b))
        elif isinstance(b, o.Local):
            x, y = self._root(a.name), self._root(b.name)
            if x != y:
                self.parent[x] = y
                if x in self.sort:
                    self._is(b, self.sort.pop(x))

    def _is(self, e: o.Expr | None, sort: Sort) -> None:
        if not isinstance(e, o.Local):
            return
        root = self._root(e.name)
        have = self.sort.setdefault(root, sort)
        if have != sort and not self.conflict:
            name = e.name.partition(":")[2]
            self.conflict = f"{name} is used as {' '.join(have)} and as {' '.join(sort)}"

    def _infer(self, n: Node) -> None:
        op = n.op
        if isinstance(op, o.Load | o.Store | o.Fresh):
            var = op.place.var
            self._is(op.place.index, self._index_sort(var))
            self._is(op.place.sub, self._slot_sort(var))
            if isinstance(op, o.Load):
                self._is(o.Local(op.dst), self.of_var(var))
            elif isinstance(op, o.Store):
                self._is(op.expr, self.of_var(var))
            else:
                self._is(op.owner, ("ptr", self.of_var(var)[1]))
        elif isinstance(op, o.Assign):
            self._same(o.Local(op.dst), op.expr)
        for e in exprs(n):
            for x in o.walk(e):
                if isinstance(x, o.Bin) and x.op in ("eq", "ne", "lt", "le", "gt", "ge"):
                    self._same(x.a, x.b)

    # whether operations care

    def differs(self, maps: Maps) -> str:
        """Where the program does not do the same to renamed values; "" where it does."""
        for name in sorted(self.loose):
            if maps.value(self.of_local(name), 0) != 0:
                return f"{name.partition(':')[2]} is read before it is written"
        for n in self.nodes:
            if not all(self._alike(e, sort, maps) for e, sort in self._wanted(n)):
                return f"{n.stack[-1]}, {n.op.span.file}:{n.op.span.line}"
            if isinstance(n.op, o.Choose) and not self._chooses_alike(n.op, maps):
                return f"{n.stack[-1]}, {n.op.span.file}:{n.op.span.line}"
        return ""

    def _wanted(self, n: Node) -> list[tuple[o.Expr, Sort]]:
        """The expressions that ``n`` evaluates, and the sort of each."""
        op, out = n.op, []
        if isinstance(op, o.Load | o.Store | o.Fresh):
            var = op.place.var
            out = [(op.place.index, self._index_sort(var)), (op.place.sub, self._slot_sort(var))]
            if isinstance(op, o.Store):
                out.append((op.expr, self.of_var(var)))
            elif isinstance(op, o.Fresh):
                out.append((op.owner, ("ptr", self.of_var(var)[1])))
        elif isinstance(op, o.Assign):
            out = [(op.expr, self.of_local(op.dst))]
        elif isinstance(op, o.Branch | o.Assume | o.Check):
            out = [(o.Un("not", op.cond), NUMBER)]
        return [(e, sort) for e, sort in out if e is not None]

    def _alike(self, e: o.Expr, sort: Sort, maps: Maps) -> bool:
        if isinstance(e, o.Local) and self.of_local(e.name) == sort:
            return True
        envs = self._environments((e,), maps)
        return envs is not None and all(
            maps.value(sort, value(e, before)) == value(e, after) for before, after in envs
        )

    def _chooses_alike(self, op: o.Choose, maps: Maps) -> bool:
        sort = self.of_local(op.dst)
        envs = self._environments((op.lo, op.hi), maps)
        if envs is None:
            return False
        for before, after in envs:
            was = range(value(op.lo, before), value(op.hi, before) + 1)
            now = range(value(op.lo, after), value(op.hi, after) + 1)
            if {maps.value(sort, x) for x in was} != set(now):
                return False
        return True

    def _environments(
        self, es: tuple[o.Expr, ...], maps: Maps
    ) -> list[tuple[dict[str, int], dict[str, int]]] | None:
        """Every way to give the expressions' locals values, and the same renamed."""
        parts = [x for e in es for x in o.walk(e)]
        names = {x.name: self.of_local(x.name) for x in parts if isinstance(x, o.Local)}
        rows = {n: sorted(self.values.get(n, set()) or {0}) for n in names}
        for x in parts:
            if isinstance(x, o.Leaf):
                names[x.name] = _leaf(x)
                count = self.m.cpus if x.name == "this_cpu" else self.m.tasks
                rows[x.name] = [i + int(x.name == "current") for i in range(count)]
        total = 1
        for row in rows.values():
            total *= len(row)
        if total > MOST_TRIED:
            return None
        out = []
        for vals in product(*(rows[n] for n in names)):
            before = dict(zip(names, vals, strict=True))
            out.append((before, {n: maps.value(names[n], x) for n, x in before.items()}))
        return out


def _leaf(x: o.Leaf) -> Sort:
    return ("id", "cpu") if x.name == "this_cpu" else ("ptr", "task")


def exprs(n: Node) -> list[o.Expr]:
    """The top expressions of a node's operation."""
    op = n.op
    if isinstance(
        op, o.Assign | o.Load | o.Store | o.Fresh | o.Choose | o.Assume | o.Check | o.Branch
    ):
        return o.exprs_of(op)
    return []


def value(e: o.Expr, env: dict[str, int]) -> int:
    """The value of ``e`` where locals, this CPU and the current task are as ``env`` says."""
    if isinstance(e, o.Const):
        return e.value
    if isinstance(e, o.Local | o.Leaf):
        return env[e.name]
    if isinstance(e, o.Un):
        return unary(e.op, value(e.a, env))
    assert isinstance(e, o.Bin)
    return binary(e.op, value(e.a, env), value(e.b, env))
