"""Types of expressions without lowering them, and which C expressions are *opaque*.

Opaque is what C reads from where the program has no state: a field of a struct that is not
modelled, a global or a constant that it does not declare. Its value is any value.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache

from ..ir import types as ty
from ..ir.decls import Decls
from . import syntax as s

INT = ty.Int(-1, 127)
ERRORS = frozenset(errno.errorcode.values()) | {"ERESTARTSYS", "ENOTSUPP", "EPROBE_DEFER"}
TRUTH = frozenset(("true", "false", "True", "False"))
NULLS = frozenset(("NULL", "None"))
# Calls that give the value of their first argument, or that read the place it names.
SAME = frozenset(
    (
        *("likely", "unlikely", "READ_ONCE", "smp_load_acquire", "rcu_dereference", "data_race"),
        *("__this_cpu_read", "this_cpu_read", "raw_cpu_read", "atomic_read", "atomic_long_read"),
        *("READ_ONCE_NOCHECK", "rcu_access_pointer", "rcu_dereference_raw", "__unsigned"),
        *("atomic_read_acquire", "atomic64_read", "raw_this_cpu_read", "xchg", "cmpxchg"),
    )
)
BOOLS = frozenset(
    (
        *("test_bit", "test_and_set_bit", "test_and_clear_bit", "irqs_disabled", "in_hardirq"),
        *("WARN_ON", "WARN_ON_ONCE", "KVM_BUG_ON", "WARN", "WARN_ONCE", "atomic_dec_and_test"),
    )
)
CPUS = frozenset(("smp_processor_id", "raw_smp_processor_id", "__smp_processor_id", "get_cpu"))
PER_CPU = frozenset(("per_cpu", "per_cpu_ptr", "this_cpu_ptr", "raw_cpu_ptr", "this_cpu"))
PER_CPU_TYPE = "per_cpu "
"""Before the C type of a variable of which each CPU has one."""
COMPARE = frozenset(("==", "!=", "<", "<=", ">", ">=", "&&", "||"))


def kids(e: object) -> Iterator[s.Expr | s.Stmt]:
    """The expressions and statements directly inside ``e``, in order."""
    for name in _fields(type(e)):  # type: ignore[arg-type]
        yield from _nodes(getattr(e, name))


@cache
def _fields(t: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(t)) if is_dataclass(t) else ()


@cache
def _is_node(t: type) -> bool:
    return is_dataclass(t) and t.__module__ == s.__name__


def _nodes(v: object) -> Iterator[s.Expr | s.Stmt]:
    if isinstance(v, tuple):
        for item in v:
            yield from _nodes(item)
    elif _is_node(type(v)):  # type: ignore[arg-type]
        yield v  # type: ignore[misc]


def walk(e: object) -> Iterator[s.Expr | s.Stmt]:
    """Every expression and statement in ``e``, outer before inner."""
    for k in _nodes(e) if isinstance(e, tuple) else kids(e):
        yield k
        yield from walk(k)


def bare(e: s.Expr) -> s.Expr:
    """``x`` for ``&x`` and for ``x``: the place that an access macro is given."""
    if isinstance(e, s.Foreign):
        return bare(e.inner)
    return e.a if isinstance(e, s.Unary) and e.op == "&" else e


def path(e: s.Expr) -> str:
    """``e`` as C, for notes: ``vcpu->stat.generic``."""
    if isinstance(e, s.Name):
        return e.id.partition(".")[0]
    if isinstance(e, s.Foreign):
        return path(e.inner)
    if isinstance(e, s.Member):
        return f"{path(e.base)}{'->' if e.arrow else '.'}{e.name}"
    if isinstance(e, s.Index):
        return f"{path(e.base)}[]"
    if isinstance(e, s.Unary):
        return e.op + path(e.a)
    if isinstance(e, s.Invoke):
        inside = ", ".join(path(a) for a in e.args)
        return path(e.args[0]) if e.fn in SAME and e.args else f"{e.fn}({inside})"
    if isinstance(e, s.Binary):
        return f"{path(e.a)} {e.op} {path(e.b)}"
    return str(e.value) if isinstance(e, s.Num) else "…"


class Guess:
    """Static types in one function; ``env`` holds its parameters and locals."""

    def __init__(self, decls: Decls, env: Mapping[str, ty.Type]) -> None:
        self.decls, self.env = decls, env

    def type(self, e: s.Expr) -> ty.Type | None:
        """The type of ``e``, or None where only the kernel knows it."""
        if isinstance(e, s.Name):
            return self._name(e)
        if isinstance(e, s.Num):
            return INT
        if isinstance(e, s.Member):
            base = self.type(e.base)
            if not isinstance(base, ty.Ptr | ty.Embed):
                return None
            f = self.decls.find_field(base.struct, e.name)
            return f.type if f else None
        if isinstance(e, s.Index):
            held = self.type(e.base)
            return held.elem if isinstance(held, ty.Array) else None
        if isinstance(e, s.Unary):
            return self._unary(e)
        if isinstance(e, s.Binary):
            if e.op in COMPARE:
                return ty.BOOL
            return INT if self.type(e.a) is not None and self.type(e.b) is not None else None
        if isinstance(e, s.Ternary):
            a, b = self.type(e.a), self.type(e.b)
            return join(a, b) if a is not None and b is not None else None
        if isinstance(e, s.AssignE | s.PostInc):
            return self.type(e.lhs)
        if isinstance(e, s.Comma):
            return self.type(e.b)
        if isinstance(e, s.Foreign):
            return self.type(e.inner)
        return self._invoke(e) if isinstance(e, s.Invoke) else INT

    def _name(self, e: s.Name) -> ty.Type | None:
        if e.id in self.env:
            return self.env[e.id]
        if e.id in self.decls.globals:
            return self.decls.globals[e.id].type
        if e.id in TRUTH:
            return ty.BOOL
        if e.id == "current":
            return ty.Ptr("task_struct")
        return INT if e.id in self.decls.consts or e.id in NULLS or e.id == "nr_cpu_ids" else None

    def _unary(self, e: s.Unary) -> ty.Type | None:
        if e.op == "!":
            return ty.BOOL
        if is_error_code(e):
            return INT
        a = self.type(e.a)
        if e.op == "&":
            return ty.Ptr(a.struct) if isinstance(a, ty.Embed) else None
        if e.op == "*":
            return ty.Embed(a.struct) if isinstance(a, ty.Ptr) else a if _is_here(e.a) else None
        return INT if a is not None else None

    def _invoke(self, e: s.Invoke) -> ty.Type | None:
        if e.fn in self.decls.funcs:
            return self.decls.funcs[e.fn].ret
        if e.fn in CPUS:
            return ty.CPU
        if e.fn in BOOLS or e.fn == "__vcpu_is_of":
            return ty.BOOL
        if e.fn == "__vcpu_at":
            return ty.Ptr("kvm_vcpu")
        if not e.args:
            return None
        if e.fn in SAME:
            return self.type(bare(e.args[0]))
        if e.fn in PER_CPU:
            held = self.type(bare(e.args[0]))
            is_ptr = e.fn.endswith("_ptr")
            return ty.Ptr(held.struct) if is_ptr and isinstance(held, ty.Embed) else held
        if e.fn in ("container_of", "__pointer_cast") and isinstance(e.args[1], s.Name):
            struct = e.args[1].id
            return ty.Ptr(struct) if struct in self.decls.structs else None
        return None

    def opaque(self, e: s.Expr) -> str:
        """What ``e`` reads that the program has no state for, as C; "" where its value is known."""
        if isinstance(e, s.Name):
            return path(e) if self._name(e) is None and "." not in e.id else ""
        if isinstance(e, s.Foreign):
            return self.opaque(e.inner)
        if isinstance(e, s.Member):
            return "" if self.type(e) is not None else path(e)
        if isinstance(e, s.Index):
            return self.opaque(e.base)
        if isinstance(e, s.Unary):
            if is_error_code(e):
                return ""
            if e.op in "&*":
                return "" if self.type(e) is not None else path(e)
            return self.opaque(e.a)
        if isinstance(e, s.Binary) and e.op not in ("&&", "||"):
            return self.opaque(e.a) or self.opaque(e.b)
        if isinstance(e, s.Invoke) and e.fn not in self.decls.funcs and e.args:
            if e.fn in SAME | PER_CPU:
                return self.opaque(bare(e.args[0]))
            if e.fn in ("container_of", "__pointer_cast"):
                return self.opaque(e.args[0]) or ("" if self.type(e) is not None else path(e))
        return ""


def is_error_code(e: s.Expr) -> bool:
    """``-EINTR`` and the like: in the model every error is -1."""
    if not (isinstance(e, s.Unary) and e.op == "-"):
        return False
    return isinstance(e.a, s.Name) and e.a.id in ERRORS


def _is_here(e: s.Expr) -> bool:
    return (isinstance(e, s.Invoke) and e.fn in PER_CPU) or (isinstance(e, s.Unary) and e.op == "&")


def join(a: ty.Type, b: ty.Type) -> ty.Type:
    """The type that holds both."""
    if a == b:
        return a
    for x, y in ((a, b), (b, a)):
        if isinstance(x, ty.Ptr | ty.CpuId | ty.Token) and isinstance(y, ty.Int):
            return x
    if isinstance(a, ty.Int) and isinstance(b, ty.Int):
        return ty.Int(min(a.lo, b.lo), max(a.hi, b.hi))
    return a
