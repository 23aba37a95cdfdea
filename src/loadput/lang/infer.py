"""What C leaves open and its use tells: types of new fields, ranges of int locals, signatures.

Only for functions written in C. A guess is never silent: fields go to ``decls.inferred``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..base.source import Span
from ..ir import types as ty
from ..ir.decls import Decls, VarDecl
from . import syntax as s
from .guess import COMPARE, INT, NULLS, PER_CPU, PER_CPU_TYPE, TRUTH, Guess, bare, kids, walk

PLACES = {  # access macros: which argument is the place
    **dict.fromkeys(("READ_ONCE", "WRITE_ONCE", "smp_load_acquire", "smp_store_release"), 0),
    **dict.fromkeys(("smp_store_mb", "rcu_dereference", "rcu_assign_pointer", "xchg"), 0),
    **dict.fromkeys(("cmpxchg", "cmpxchg_relaxed", "cmpxchg_acquire", "RCU_INIT_POINTER"), 0),
    **{f"{p}this_cpu_{k}": 0 for p in ("", "__", "raw_") for k in ("read", "write")},
    **{f"atomic_{k}": 0 for k in ("read", "set", "inc", "dec", "inc_return", "dec_return")},
    **{f"atomic_{k}": 0 for k in ("dec_and_test", "xchg", "inc_and_test")},
    **{f"atomic_{k}": 1 for k in ("add", "sub", "or", "and", "andnot")},
    **{f"{p}{k}_bit": 1 for p in ("", "__") for k in ("set", "clear", "test")},
    **{f"{p}test_and_{k}_bit": 1 for p in ("", "__") for k in ("set", "clear")},
    "data_race": 0,
    **{f"{p}this_cpu_{k}": 0 for p in ("", "__", "raw_") for k in ("inc", "dec", "add", "sub")},
}
WRITERS = frozenset(
    (
        *("WRITE_ONCE", "smp_store_release", "smp_store_mb", "rcu_assign_pointer"),
        *("RCU_INIT_POINTER", "this_cpu_write", "__this_cpu_write", "raw_this_cpu_write"),
        *("atomic_set", "xchg", "atomic_xchg", "cmpxchg"),
    )
)
_COUNT_ENDS = ("_bit", "_inc", "_dec", "_add", "_sub", "_return", "_test", "_or", "_and", "_andnot")
VARIABLE = "*"
"""In the place of a struct's name: a variable of a whole file."""
COUNTING = frozenset(k for k in PLACES if k.endswith(_COUNT_ENDS))


def adopt_signature(d: s.Def, decls: Decls) -> s.Def:
    """Return ``d`` with the parameter types that the program knows the function by.

    C says ``int`` where the model says CPU number or a small range. A pointer to a struct that
    the program does not have is opaque: NULL or not. Where the number of parameters changed, the
    known types go to the parameters of the same name, and a new ``int cpu`` is a CPU number.
    """
    sig = decls.funcs.get(d.name)
    named = dict(sig.params) if sig else {}
    old = [named.get(n, ty.CPU if n == "cpu" else INT) for n, _ in d.params]
    if sig and len(sig.params) == len(d.params):
        old = [t for _, t in sig.params]
    params = tuple((n, _adopt(t, was, decls)) for (n, t), was in zip(d.params, old, strict=True))
    ret = _adopt(d.ret, sig.ret if sig else INT, decls)
    return dataclasses.replace(d, params=params, ret=ret)


def _adopt(t: ty.Type, was: ty.Type, decls: Decls) -> ty.Type:
    if isinstance(t, ty.Ptr) and t.struct not in decls.structs:
        return was if isinstance(was, ty.Ptr) else ty.BOOL
    return was if t == INT and not isinstance(was, ty.Void) else t


@dataclass(slots=True)
class _Uses:
    """How one place is used: what it is given and compared with, and how else."""

    span: Span
    given: list[int] = field(default_factory=list)  # numbers assigned
    beside: list[int] = field(default_factory=list)  # numbers compared with
    held: list[ty.Type] = field(default_factory=list)  # types assigned
    types: list[ty.Type] = field(default_factory=list)  # types compared with, or passed as
    tested: bool = False
    counted: bool = False
    is_struct: bool = False
    opaque: bool = False
    written: bool = False


Key = tuple[str, str]


class _Collector:
    """Collects the uses of places that have no declared type: unknown fields, int locals.

    :param brought: variables that the user's code brings
    """

    def __init__(
        self,
        d: s.Def,
        decls: Decls,
        narrow: Mapping[str, ty.Type] | None = None,
        brought: Collection[str] = (),
    ) -> None:
        self.decls = decls
        self.brought = {n for n in brought if n not in decls.globals}
        env = dict(d.params)
        for n in walk(d.body):
            if isinstance(n, s.Declare) and n.type is not None:
                env[n.name] = (narrow or {}).get(n.name, n.type)
        self.env = env
        self.guess = Guess(decls, env)
        self.uses: dict[Key, _Uses] = {}
        for st in d.body:
            self.node(st, d.ret)

    def key(self, e: s.Expr) -> Key | None:
        """``(struct, field)`` or ``("", local)`` where ``e`` is a place of unknown type."""
        if isinstance(e, s.Name) and self.env.get(e.id) == INT:
            return "", e.id
        if isinstance(e, s.Name) and e.id in self.brought and e.id not in self.env:
            return VARIABLE, e.id
        if isinstance(e, s.Invoke) and e.fn in PER_CPU and e.args and self.brought:
            return self.key(bare(e.args[0])) if not e.fn.endswith("_ptr") else None
        if isinstance(e, s.Unary) and e.op == "*" and isinstance(e.a, s.Invoke) and self.brought:
            ptr = e.a
            return self.key(bare(ptr.args[0])) if ptr.fn in PER_CPU and ptr.args else None
        if isinstance(e, s.Member):
            base = self.guess.type(e.base)
            if isinstance(base, ty.Ptr | ty.Embed) and base.struct in self.decls.structs:
                if self.decls.find_field(base.struct, e.name) is None:
                    return base.struct, e.name
        if isinstance(e, s.Invoke) and e.fn in PLACES and len(e.args) == PLACES[e.fn] + 1:
            return self.key(bare(e.args[PLACES[e.fn]])) if e.fn not in COUNTING else None
        if isinstance(e, s.Invoke) and e.fn in ("likely", "unlikely", "__unsigned") and e.args:
            return self.key(e.args[0])
        return None

    def use(self, e: s.Expr) -> _Uses | None:
        k = self.key(e)
        if k is None:
            return None
        return self.uses.setdefault(k, _Uses(e.span))

    def given(self, place: s.Expr, value: s.Expr, compared: bool = False) -> None:
        """``place`` is assigned or compared with ``value``."""
        u = self.use(place)
        if u is None:
            return
        if isinstance(value, s.Unary) and value.op == "-" and isinstance(value.a, s.Num):
            value = s.Num(-value.a.value, value.span)
        if isinstance(value, s.Ternary):
            self.given(place, value.a, compared)
            self.given(place, value.b, compared)
            return
        t = self.known(self.guess.type(value))
        u.written |= not compared and t is not None
        if isinstance(value, s.Num):
            (u.beside if compared else u.given).append(value.value)
        elif isinstance(value, s.Name) and value.id in NULLS:
            pass
        elif isinstance(value, s.Name) and value.id in self.decls.consts:
            (u.beside if compared else u.given).append(self.decls.consts[value.id])
        elif t is not None:
            (u.types if compared else u.held).append(t)
        else:
            u.opaque |= not compared and self.key(value) != self.key(place)

    def known(self, t: ty.Type | None) -> ty.Type | None:
        """``t``, or None for a pointer to a struct that the program does not have."""
        return None if isinstance(t, ty.Ptr) and t.struct not in self.decls.structs else t

    def node(self, n: s.Expr | s.Stmt, ret: ty.Type) -> None:
        if isinstance(n, s.Declare) and n.init is not None:
            self.given(s.Name(n.name, n.span), n.init)
        elif isinstance(n, s.If | s.While | s.Ternary | s.For):
            self.truth(n.cond or s.Num(1, n.span))
        elif isinstance(n, s.Switch):
            for values, _ in n.cases:
                for v in values:
                    self.given(n.value, v, compared=True)
        elif isinstance(n, s.ReturnStmt) and n.value is not None:
            self.passed(n.value, ret)
        elif isinstance(n, s.AssignE):
            self._assign(n)
        elif isinstance(n, s.PostInc):
            self.count(n.lhs, True)
        elif isinstance(n, s.Binary):
            self._binary(n)
        elif isinstance(n, s.Unary) and n.op == "!":
            self.truth(n.a)
        elif isinstance(n, s.Member | s.Index):
            u = self.use(n.base)
            if u:
                u.is_struct = True
        elif isinstance(n, s.Invoke):
            self._invoke(n)
        for k in kids(n):
            self.node(k, ret)

    def truth(self, e: s.Expr) -> None:
        u = self.use(e)
        if u:
            u.tested = True

    def count(self, e: s.Expr, written: bool = False) -> None:
        u = self.use(e)
        if u:
            u.counted = True
            u.written |= written

    def passed(self, e: s.Expr, t: ty.Type | None) -> None:
        """``e`` goes where a ``t`` is wanted."""
        u = self.use(e)
        t = self.known(t)
        if u and t is not None and not isinstance(t, ty.Void):
            u.types.append(t)

    def _assign(self, n: s.AssignE) -> None:
        if n.op:
            self.count(n.lhs, True)
            return
        self.given(n.lhs, n.rhs)
        self.passed(n.rhs, self.guess.type(n.lhs))

    def _binary(self, n: s.Binary) -> None:
        if n.op in ("&&", "||"):
            self.truth(n.a)
            self.truth(n.b)
        elif n.op in COMPARE:
            self.given(n.a, n.b, compared=True)
            self.given(n.b, n.a, compared=True)
        else:
            self.count(n.a)
            self.count(n.b)

    def _invoke(self, n: s.Invoke) -> None:
        at = PLACES.get(n.fn, -1)
        sig = self.decls.funcs.get(n.fn)
        for i, a in enumerate(n.args):
            if i == at:
                if n.fn in WRITERS and len(n.args) > 1:
                    for v in n.args[1:]:
                        self.given(bare(a), v)
                elif n.fn in COUNTING:
                    self.count(bare(a), True)
            elif isinstance(a, s.Unary) and a.op == "&":
                u = self.use(a.a)
                if u:
                    u.is_struct = True
            elif sig and i < len(sig.params):
                self.passed(a, sig.params[i][1])


def _type_of(u: _Uses) -> ty.Type | None:
    """The type that the uses of a field tell; None where it holds no state worth keeping.

    A field that this code never writes belongs to code that is not here: it stays opaque, any
    value, since a field that is never written would be a constant and make branches vanish.
    """
    if u.is_struct or u.opaque or not u.written:
        return None
    for kind in (ty.Ptr, ty.CpuId, ty.Token):
        for t in (*u.held, *u.types):
            if isinstance(t, kind):
                return t
    if u.counted:
        return INT if u.beside or u.types or u.tested else None
    ints = [t for t in u.held if isinstance(t, ty.Int)]
    if any(t == INT for t in ints):
        return None
    numbers = [*u.given, *u.beside, *(x for t in ints for x in (t.lo, t.hi))]
    return ty.Int(min(0, *numbers), max(1, *numbers)) if numbers else ty.BOOL


def infer_fields(
    defs: Sequence[s.Def],
    decls: Decls,
    hints: Iterable[tuple[str, str, str]] = (),
) -> list[VarDecl]:
    """Declare the fields that only the C of ``defs`` knows; return them, as ``struct.field``.

    Give every function of the user's at once, so that each use counts. A field that is used as a
    struct, or only counted up, stays undeclared: `lower` reads it as any value and says so.

    :param hints: ``(struct, field, C type)`` that a patch adds to a header; a variable of a whole
        file has no struct
    """
    defs = [adopt_signature(d, decls) for d in defs if d.lang == "c"]
    declared = {(st or VARIABLE, name): text for st, name, text in hints}
    brought = [name for st, name in declared if st == VARIABLE]
    out: list[VarDecl] = []
    for _ in range(3):  # a field may get its type from another
        uses: dict[Key, _Uses] = {}
        origin: dict[Key, str] = {}
        for d in defs:
            for k, u in _Collector(d, decls, local_types(d, decls), brought).uses.items():
                if k[0]:
                    uses[k] = _merge(uses[k], u) if k in uses else u
                    origin.setdefault(k, d.origin)
        new = False
        for (struct, name), u in uses.items():
            t = _hinted(declared.get((struct, name), ""), decls) or _type_of(u)
            if t is None:
                continue
            where = origin[struct, name]
            new = True
            if struct == VARIABLE:
                each = declared[struct, name].startswith(PER_CPU_TYPE)
                v = VarDecl(name, t, percpu=each, span=u.span, origin=where)
                decls.globals[name] = v
                out.append(v)
                continue
            decls.structs[struct].fields[name] = VarDecl(name, t, span=u.span, origin=where)
            out.append(VarDecl(f"{struct}.{name}", t, span=u.span, origin=where))
        if not new:
            break
    decls.inferred += out
    return out


def _merge(a: _Uses, b: _Uses) -> _Uses:
    """Both: lists joined, flags or-ed, the first place."""
    both = {f.name: getattr(a, f.name) for f in dataclasses.fields(a)}
    for name, value in both.items():
        if isinstance(value, list):
            both[name] = value + getattr(b, name)
        elif isinstance(value, bool):
            both[name] = value or getattr(b, name)
    return _Uses(**both)


def _hinted(ctype: str, decls: Decls) -> ty.Type | None:
    words = ctype.removeprefix(PER_CPU_TYPE).replace("*", " * ").split()
    if words == ["bool"]:
        return ty.BOOL
    if len(words) == 3 and words[0] == "struct" and words[2] == "*":
        return ty.Ptr(words[1]) if words[1] in decls.structs else None
    return None


def local_types(d: s.Def, decls: Decls) -> Mapping[str, ty.Type]:
    """Tighter types for locals that C calls ``int``: a CPU number, saved flags, a small range.

    A local that is only compared with constants keeps them and one more on each side; what it is
    assigned from outside the program then has few values.
    """
    out: dict[str, ty.Type] = {}
    params = {n for n, _ in d.params}
    for _ in range(2):  # a local may get its range from another
        for (struct, name), u in _Collector(d, decls, out).uses.items():
            t = None if struct or name in params else _local_type(u)
            if t is not None:
                out[name] = t
    for n in walk(d.body):
        if isinstance(n, s.Invoke) and n.fn in ("local_irq_save", "local_irq_restore"):
            out.update({a.id: ty.BOOL for a in n.args if isinstance(a, s.Name)})
    return out


def _local_type(u: _Uses) -> ty.Type | None:
    if u.is_struct or u.counted:
        return None
    if u.held and all(isinstance(t, ty.CpuId) for t in u.held) and not u.opaque:
        return ty.CPU if all(n == -1 for n in u.given) else None
    if any(not isinstance(t, ty.Int) or t == INT for t in u.held):
        return None
    if u.opaque and (u.types or not (u.beside or u.tested)):
        return None
    ends = (x for t in u.held if isinstance(t, ty.Int) for x in (t.lo, t.hi))
    numbers = [0, *u.given, *ends, *(x for n in u.beside if u.opaque for x in (n - 1, n + 1))]
    if u.opaque and u.tested:
        numbers.append(1)
    return ty.Int(min(numbers), max(numbers)) if len(numbers) > 1 else None


__all__ = ["TRUTH", "adopt_signature", "infer_fields", "local_types"]
