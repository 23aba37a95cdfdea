"""A function as a tree of what it does: the form in which two bodies are laid beside each other.

A node is a statement that does something, or the test of a branch or loop with what stands under
it. What it is known by are *features*: the functions it calls, the fields it writes and reads, the
constants it names; the access macros and casts around them say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .. import syntax as s
from ..guess import NULLS, PER_CPU, SAME, TRUTH, bare, is_error_code, walk
from ..infer import COUNTING, PLACES, WRITERS
from ..show import render_expr, render_stmt
from ..vocab import NO_EFFECT

Features = dict[str, float]
BLOCKS = ("then", "else", "case", "loop", "root")
_CLEAR = frozenset((*SAME, *PER_CPU, "container_of", "__pointer_cast", "__count", "__vcpu_at"))
CALL, WRITE, READ, INSIDE = 4.0, 4.0, 1.0, 1.5
# The kernel's names of one barrier count as one.
BARRIERS = {
    **{f"smp_mb__{w}_atomic": "smp_mb" for w in ("before", "after")},
    **{f"smp_mb__after_{w}": "smp_mb" for w in ("spinlock", "unlock_lock", "srcu_read_unlock")},
    **{f"{p}{k}": f"smp_{k}" for k in ("mb", "rmb", "wmb") for p in ("", "__smp_", "smp_")},
    "smp_acquire__after_ctrl_dep": "smp_rmb",
}


@dataclass(eq=False, slots=True)
class Node:
    """One statement, or one test with its blocks.

    :param kind: ``leaf``, ``ret``, ``jump``, ``label``, ``if``, ``switch``, ``opaque``, or one of
        BLOCKS
    :param key: its own text, without what stands under it
    :param test: the expression that decides a branch or loop
    """

    kind: str
    stmt: s.Stmt | None
    feats: Features
    key: str
    kids: list[Node] = field(default_factory=list)
    parent: Node | None = None
    test: s.Expr | None = None

    @property
    def weight(self) -> float:
        return sum(self.feats.values()) + 0.2

    @property
    def effects(self) -> frozenset[str]:
        """The calls and writes among its features."""
        return frozenset(f for f in self.feats if f[:2] in ("c:", "w:"))

    def walk(self) -> Iterator[Node]:
        """It and all under it, in the order of the text."""
        yield self
        for k in self.kids:
            yield from k.walk()

    def whole(self) -> str:
        """Its text with all that stands under it."""
        if not self.kids:
            return f"{self.kind}|{self.key}"
        inside = "\n".join(k.whole() for k in self.kids)
        return f"{self.kind}|{self.key}{{{inside}}}"

    def up(self) -> Iterator[Node]:
        """What it stands under, from the inside out."""
        at = self.parent
        while at is not None:
            yield at
            at = at.parent


def local_names(d: s.Def) -> set[str]:
    """The parameters and locals of ``d``; in kernel Python all that is assigned by its name."""
    out = {n for n, _ in d.params}
    for n in walk(d.body):
        if isinstance(n, s.Declare):
            out.add(n.name)
        elif isinstance(n, s.AssignE) and isinstance(n.lhs, s.Name) and d.lang != "c":
            out.add(n.lhs.id)
        elif isinstance(n, s.Invoke) and n.fn in ("local_irq_save", "local_irq_restore"):
            out |= {a.id for a in n.args if isinstance(a, s.Name)}
    return out


def tree_of(d: s.Def, names: Names | None = None, parts: Mapping[str, s.Def] | None = None) -> Node:
    """The tree of ``d``.

    :param names: what the program's names say; without it, nothing but themselves
    :param parts: functions that are read where they are called
    """
    names = names or Names(frozenset(), {})
    root = Node("root", None, {"root": 1.0}, "")
    _Builder(local_names(d) - names.globals, names, parts or {}).block(d.body, root)
    return root


@dataclass(slots=True)
class Names:
    """What a program's names say about a statement that uses them.

    :param globals: its variables: never locals, though kernel Python assigns them by name
    :param defs: its functions: a call of a small one also speaks of what that does
    """

    globals: frozenset[str]
    defs: Mapping[str, s.Def]
    _inside: dict[str, Features] = field(default_factory=dict)

    def inside(self, fn: str) -> Features:
        """The calls and writes of a function of at most three statements, at a small weight."""
        if fn not in self._inside:
            self._inside[fn] = {}
            d = self.defs.get(fn)
            if d is not None:
                leaves = [n for n in tree_of(d).walk() if n.kind in ("leaf", "ret") and n.effects]
                if len(leaves) <= 3:
                    self._inside[fn] = {f: INSIDE for n in leaves for f in n.effects}
        return self._inside[fn]


def is_silent(e: s.Expr) -> bool:
    """Whether an expression statement does nothing that any model could show: a trace, a count."""
    if isinstance(e, s.Invoke):
        return bool(NO_EFFECT.match(e.fn))
    if isinstance(e, s.PostInc | s.AssignE):
        return _is_statistic(e.lhs)
    return False


def _is_statistic(e: s.Expr) -> bool:
    while isinstance(e, s.Member | s.Index):
        if isinstance(e, s.Member) and e.name in ("stat", "stats", "generic_stat"):
            return True
        e = e.base
    return False


class _Builder:
    def __init__(self, local: set[str], names: Names, parts: Mapping[str, s.Def]) -> None:
        self.local, self.names, self.parts = local, names, parts

    def block(self, body: Iterable[s.Stmt], into: Node) -> None:
        for st in body:
            self.add(st, into)

    def add(self, st: s.Stmt, into: Node) -> None:
        if isinstance(st, s.Group | s.AtomicStmt | s.ForeignStmt):
            self.block(st.body, into)
            return
        called = call_of(st)
        if called in self.parts:
            inner = tree_of(self.parts[called], self.names)
            for k in inner.kids:
                if k.kind != "ret":
                    k.parent = into
                    into.kids.append(k)
            return
        node = self.node(st)
        if node is not None:
            node.parent = into
            into.kids.append(node)

    def node(self, st: s.Stmt) -> Node | None:
        if isinstance(st, s.ExprStmt):
            if is_silent(st.expr):
                return None
            return Node("leaf", st, self.feats(st.expr), render_stmt(st))
        if isinstance(st, s.Declare):
            if st.init is None:
                return None
            feats = self.feats(st.init)
            feats[f"l:{_plain(st.name)}"] = 0.3
            return Node("leaf", st, feats, render_stmt(st))
        if isinstance(st, s.ReturnStmt):
            feats = self.feats(st.value) if st.value is not None else {}
            return Node("ret", st, {**feats, "return": 1.0}, render_stmt(st))
        if isinstance(st, s.BreakStmt | s.ContinueStmt | s.Goto):
            text = render_stmt(st)
            return Node("jump", st, {text: 1.0}, text)
        if isinstance(st, s.LabelStmt):
            return Node("label", st, {f"label {st.label}": 0.5}, f"{st.label}:")
        if isinstance(st, s.OpaqueStmt):
            return Node("opaque", st, {st.text: 1.0}, st.text)
        return self.compound(st)

    def compound(self, st: s.Stmt) -> Node | None:
        if isinstance(st, s.If):
            node = Node("if", st, self.feats(st.cond), render_expr(st.cond), test=st.cond)
            self.under(node, "then", st.then)
            if st.other:
                self.under(node, "else", st.other)
            quiet = not any(k.kids for k in node.kids) and not node.effects
            return None if quiet else node
        if isinstance(st, s.While):
            node = Node("loop", st, self.feats(st.cond), render_expr(st.cond), test=st.cond)
            node.key += "" if st.test_first else " tested last"
            self.block(st.body, node)
        elif isinstance(st, s.For):
            parts = [*st.init, *st.step]
            tests = self.feats(st.cond) if st.cond is not None else {}
            node = Node("loop", st, tests, "; ".join(map(render_stmt, parts)), test=st.cond)
            node.key += f" while {render_expr(st.cond)}" if st.cond is not None else ""
            self.block(st.body, node)
        else:
            assert isinstance(st, s.Switch), st
            node = Node("switch", st, self.feats(st.value), render_expr(st.value), test=st.value)
            for values, body in st.cases:
                feats: Features = {}
                for v in values:
                    _join(feats, self.feats(v))
                case = self.under(node, "case", body)
                case.key = ", ".join(map(render_expr, values))
                case.feats = feats or {"default": 1.0}
        node.feats["loop" if node.kind == "loop" else node.kind] = 0.3
        for k in node.kids:
            k.parent = node
        return node

    def under(self, node: Node, kind: str, body: Iterable[s.Stmt]) -> Node:
        block = Node(kind, None, {kind: 0.2}, "", parent=node)
        self.block(body, block)
        node.kids.append(block)
        return block

    # features

    def feats(self, e: s.Expr) -> Features:
        out: Features = {}
        self._collect(e, out)
        return out

    def _collect(self, e: s.Expr, out: Features) -> None:
        if isinstance(e, s.Foreign):
            self._collect(e.inner, out)
        elif is_error_code(e):
            _add(out, "n:-1", 0.5)
        elif isinstance(e, s.Num):
            _add(out, f"n:{e.value}", 0.5)
        elif isinstance(e, s.Name):
            self._name(e, out)
        elif isinstance(e, s.Member):
            _add(out, f"r:{e.name}", READ)
            self._base(e.base, out)
        elif isinstance(e, s.Index):
            self._collect(e.base, out)
            self._collect(e.index, out)
        elif isinstance(e, s.Invoke):
            self._invoke(e, out)
        elif isinstance(e, s.AssignE):
            self._write(e.lhs, out)
            self._collect(e.rhs, out)
        elif isinstance(e, s.PostInc):
            self._write(e.lhs, out)
        elif isinstance(e, s.Unary):
            if e.op == "-" and isinstance(e.a, s.Num):
                _add(out, f"n:{-e.a.value}", 0.5)
                return
            if e.op in "!~-":
                _add(out, e.op, 0.3)
            self._collect(e.a, out)
        elif isinstance(e, s.Binary):
            _add(out, e.op, 0.2)
            self._collect(e.a, out)
            self._collect(e.b, out)
        elif isinstance(e, s.Ternary):
            for x in (e.cond, e.a, e.b):
                self._collect(x, out)
        elif isinstance(e, s.Comma):
            self._collect(e.a, out)
            self._collect(e.b, out)

    def _name(self, e: s.Name, out: Features) -> None:
        if e.id in TRUTH:
            _add(out, f"n:{int(e.id in ('true', 'True'))}", 0.5)
        elif e.id in NULLS:
            _add(out, "n:0", 0.5)
        elif e.id in self.local:
            _add(out, f"l:{_plain(e.id)}", 0.3)
        else:
            _add(out, f"r:{e.id}", 3.0 if e.id.startswith("KVM_REQ_") else READ)

    def _base(self, e: s.Expr, out: Features) -> None:
        """What a member is taken of: its own members count little."""
        inner: Features = {}
        self._collect(e, inner)
        for name, w in inner.items():
            _add(out, name, w if name[:2] in ("c:", "w:") else min(w, 0.3))

    def _invoke(self, e: s.Invoke, out: Features) -> None:
        at = PLACES.get(e.fn, -1)
        if 0 <= at < len(e.args) and (e.fn in WRITERS or e.fn in COUNTING):
            self._write(bare(e.args[at]), out)
            for i, a in enumerate(e.args):
                if i != at:
                    self._collect(a, out)
            return
        if e.fn not in _CLEAR and e.fn not in PLACES:
            _add(out, f"c:{BARRIERS.get(e.fn, e.fn)}", CALL)
            _join(out, {f: w for f, w in self.names.inside(e.fn).items() if f not in out})
        for a in e.args:
            self._collect(a, out)

    def _write(self, e: s.Expr, out: Features) -> None:
        at = e
        while isinstance(at, s.Index | s.Unary | s.Foreign):
            at = (
                at.base
                if isinstance(at, s.Index)
                else at.a
                if isinstance(at, s.Unary)
                else at.inner
            )
        if isinstance(at, s.Invoke) and at.fn in PER_CPU and at.args:
            at = bare(at.args[0])
        if isinstance(at, s.Name) and at.id in self.local:
            _add(out, f"l:{_plain(at.id)}", 0.3)
        elif isinstance(at, s.Member):
            _add(out, f"w:{at.name}", WRITE)
            self._base(at.base, out)
        elif isinstance(at, s.Name):
            _add(out, f"w:{at.id}", WRITE)
        else:
            self._collect(e, out)


def _plain(name: str) -> str:
    return name.partition(".")[0]


def _add(out: Features, name: str, w: float) -> None:
    out[name] = out.get(name, 0.0) + w


def _join(out: Features, more: Features) -> None:
    for name, w in more.items():
        _add(out, name, w)


def call_of(st: s.Stmt) -> str:
    """The function that a statement calls, whatever it does with the result; "" for others."""
    e = st.expr if isinstance(st, s.ExprStmt) else None
    if isinstance(e, s.AssignE):
        e = e.rhs
    return e.fn if isinstance(e, s.Invoke) else ""
