"""The names with a meaning of their own in a kernel function, and what each lowers to.

``INTRINSICS`` maps a name to a function ``(lowering, call) -> Value``. Everything else that is
called is a function of the program, or opaque.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..ir import ops as o
from ..ir import types as ty
from . import syntax as s
from .lower import INT, Value

if TYPE_CHECKING:
    from .lower import Cell, Lowering

Rule = Callable[["Lowering", s.Invoke], Value]
NOTHING = Value(o.Const(0), ty.VOID)


def _cell(lo: Lowering, e: s.Expr) -> Cell:
    """The cell of ``x`` or ``&x``."""
    return lo.lvalue(e.a if isinstance(e, s.Unary) and e.op == "&" else e)


def _reader(mark: str) -> Rule:
    return lambda lo, e: lo.read(_cell(lo, e.args[0]), mark, e.span)


def _writer(mark: str, barrier: str = "") -> Rule:
    def rule(lo: Lowering, e: s.Invoke) -> Value:
        cell = _cell(lo, e.args[0])
        v = lo.rvalue(e.args[1])
        lo.write(cell, v.expr, mark, e.span)
        if barrier:
            lo.b.emit(o.Barrier(barrier, e.span))
        return NOTHING

    return rule


def _here(lo: Lowering, e: s.Invoke) -> Cell:
    arg = e.args[0]
    if isinstance(arg, s.Unary) and arg.op in "&*":
        arg = arg.a
    if isinstance(arg, s.Member | s.Index):
        return lo.lvalue(arg)
    assert isinstance(arg, s.Name)
    g = lo._global(arg)
    return type(lo.lvalue(arg))(o.Place(g.name, o.Leaf("this_cpu")), "", g.type)


def _this_cpu_read(lo: Lowering, e: s.Invoke) -> Value:
    return lo.read(_here(lo, e), "once", e.span)


def _this_cpu_write(lo: Lowering, e: s.Invoke) -> Value:
    cell = _here(lo, e)
    lo.write(cell, lo.rvalue(e.args[1]).expr, "once", e.span)
    return NOTHING


def _per_cpu_ptr(lo: Lowering, e: s.Invoke) -> Value:
    arg = e.args[0]
    name = arg.a if isinstance(arg, s.Unary) else arg
    assert isinstance(name, s.Name)
    g = lo._global(name)
    if not isinstance(g.type, ty.Embed):
        if e.fn == "per_cpu":
            return lo.read(lo.lvalue(e), "plain", e.span)
        raise lo.fail("LP0204", f"pointer to the scalar {g.name}", e.span, expected="a struct")
    at = o.Leaf("this_cpu") if len(e.args) == 1 else lo.rvalue(e.args[1]).expr
    return Value(o.Bin("add", at, o.Const(1)), ty.Ptr(g.type.struct))


def _ctl(what: str, result: o.Expr | None = None) -> Rule:
    def rule(lo: Lowering, e: s.Invoke) -> Value:
        lo.b.emit(o.Ctl(what, "", e.span))
        return Value(result, ty.CPU) if result is not None else NOTHING

    return rule


def _flags(what: str) -> Rule:
    def rule(lo: Lowering, e: s.Invoke) -> Value:
        arg = e.args[-1]
        assert isinstance(arg, s.Name)
        lo.b.local(arg.id, ty.BOOL)
        lo.b.emit(o.Ctl(what, arg.id, e.span))
        return NOTHING

    return rule


def _barrier(kind: str) -> Rule:
    def rule(lo: Lowering, e: s.Invoke) -> Value:
        lo.b.emit(o.Barrier(kind, e.span))
        return NOTHING

    return rule


def _leaf(name: str, t: ty.Type) -> Rule:
    return lambda lo, e: Value(o.Leaf(name), t)


def _same(lo: Lowering, e: s.Invoke) -> Value:
    return lo.rvalue(e.args[0])


def _cast(lo: Lowering, e: s.Invoke) -> Value:
    """container_of(ptr, type, member): the same instance, seen as the outer struct."""
    v = lo.rvalue(e.args[0])
    assert isinstance(e.args[1], s.Name)
    return Value(v.expr, ty.Ptr(e.args[1].id))


def _choose(lo: Lowering, e: s.Invoke) -> Value:
    """choose() is true or false; choose(lo, hi) any number from lo to hi."""
    lo_e, hi_e = (o.Const(0), o.Const(1)) if not e.args else (lo.rvalue(a).expr for a in e.args[:2])
    dst = lo.b.temp(INT if e.args else ty.BOOL)
    lo.b.emit(o.Choose(dst.name, lo_e, hi_e, "", e.span))
    return Value(dst, lo.b.types[dst.name])


def _assume(lo: Lowering, e: s.Invoke) -> Value:
    lo.b.emit(o.Assume(_pure_truth(lo, e.args[0]), e.span))
    return NOTHING


def _pure_truth(lo: Lowering, e: s.Expr) -> o.Expr:
    return lo.rvalue(e).expr


def _await(lo: Lowering, e: s.Invoke) -> Value:
    lo._open_atomic(e.span)
    lo.b.emit(o.Assume(_pure_truth(lo, e.args[0]), e.span))
    lo._close_atomic(e.span)
    return NOTHING


def _fresh(lo: Lowering, e: s.Invoke) -> Value:
    cell = lo.lvalue(e.args[0])
    if cell.place is None or not isinstance(cell.type, ty.Token):
        raise lo.fail("LP0203", "fresh() of something that is no token", e.span)
    lo.b.emit(o.Fresh(cell.place, lo.rvalue(e.args[1]).expr, e.span))
    return NOTHING


def _token_of(lo: Lowering, e: s.Invoke) -> Value:
    """token_of(owner): the owner's current value; 0 for NULL."""
    v = lo.rvalue(e.args[0])
    return Value(
        o.Bin("sub", o.Bin("mul", v.expr, o.Const(2)), o.Bin("ne", v.expr, o.Const(0))), INT
    )


def _owner_of(lo: Lowering, e: s.Invoke) -> Value:
    """owner_of(token): the owner as a pointer value, whatever the version; 0 for nobody."""
    v = lo.rvalue(e.args[0])
    return Value(o.Bin("div", o.Bin("add", v.expr, o.Const(1)), o.Const(2)), INT)


def _warn(lo: Lowering, e: s.Invoke) -> Value:
    """WARN_ON and BUG_ON: that they fire is a finding, property KERNEL-WARN."""
    v = lo._truth(e.args[0]) if isinstance(e.args[0], s.Binary) else lo.rvalue(e.args[0])
    lo.b.emit(o.Check("KERNEL-WARN", o.Un("not", v.expr), e.span))
    return Value(v.expr, ty.BOOL)


def _rmw(lo: Lowering, e: s.Invoke) -> Value:
    """xchg(&x, new), cmpxchg(&x, old, new), try_cmpxchg-free: one atomic step."""
    cell = _cell(lo, e.args[0])
    args = [lo.rvalue(a).expr for a in e.args[1:]]
    lo._open_atomic(e.span)
    old = lo.read(cell, "once", e.span)
    keep = lo.b.temp(old.type)
    lo.b.emit(o.Assign(keep.name, old.expr, e.span))
    if e.fn.startswith("cmpxchg"):
        then, end = lo.b.new_label(), lo.b.new_label()
        lo.b.emit(o.Branch(o.Bin("eq", keep, args[0]), then, end, e.span))
        lo.b.start(then)
        lo.write(cell, args[1], "once", e.span)
        lo.b.start(end)
    else:
        lo.write(cell, args[0], "once", e.span)
    lo._close_atomic(e.span)
    return Value(keep, old.type)


def _bit(lo: Lowering, e: s.Invoke) -> Value:
    """set_bit, clear_bit, test_bit, test_and_*_bit (nr, &word): one atomic step."""
    nr = lo.rvalue(e.args[0]).expr
    cell = _cell(lo, e.args[1])
    lo._open_atomic(e.span)
    word = lo.read(cell, "once", e.span).expr
    mask = o.Bin("shl", o.Const(1), nr)
    was = lo.b.temp(ty.BOOL)
    lo.b.emit(o.Assign(was.name, o.Bin("ne", o.Bin("and", word, mask), o.Const(0)), e.span))
    if "set" in e.fn:
        lo.write(cell, o.Bin("or", word, mask), "once", e.span)
    elif "clear" in e.fn:
        lo.write(cell, o.Bin("and", word, o.Un("inv", mask)), "once", e.span)
    lo._close_atomic(e.span)
    return Value(was, ty.BOOL)


def _count(lo: Lowering, e: s.Invoke) -> Value:
    """How many instances a loop over each(struct) has."""
    assert isinstance(e.args[0], s.Name)
    name = e.args[0].id
    per = "cpu" if name == "cpu" else lo.decls.structs[name].per
    return Value(
        o.Sym({"cpu": "NR_CPUS", "task": "NR_TASKS", "vcpu": "NR_VCPUS", "vm": "NR_VMS"}[per]), INT
    )


def _nop(lo: Lowering, e: s.Invoke) -> Value:
    return NOTHING


INTRINSICS: dict[str, Rule] = {
    "READ_ONCE": _reader("once"),
    "WRITE_ONCE": _writer("once"),
    "smp_load_acquire": _reader("acquire"),
    "smp_store_release": _writer("release"),
    "smp_store_mb": _writer("once", "mb"),
    "rcu_dereference": _reader("once"),
    "rcu_assign_pointer": _writer("release"),
    "RCU_INIT_POINTER": _writer("once"),
    **{p + "this_cpu_read": _this_cpu_read for p in ("", "__", "raw_")},
    **{p + "this_cpu_write": _this_cpu_write for p in ("", "__", "raw_")},
    **dict.fromkeys(("per_cpu", "per_cpu_ptr", "this_cpu_ptr", "raw_cpu_ptr"), _per_cpu_ptr),
    **dict.fromkeys(
        ("smp_processor_id", "raw_smp_processor_id", "__smp_processor_id"),
        _leaf("this_cpu", ty.CPU),
    ),
    "irqs_disabled": _leaf("irqs_disabled", ty.BOOL),
    "preempt_count": _leaf("preempt_count", INT),
    "in_hardirq": _leaf("in_irq", ty.BOOL),
    "get_cpu": _ctl("preempt_disable", o.Leaf("this_cpu")),
    "put_cpu": _ctl("preempt_enable"),
    "preempt_disable": _ctl("preempt_disable"),
    "preempt_enable": _ctl("preempt_enable"),
    "preempt_enable_no_resched": _ctl("preempt_enable_no_resched"),
    "local_irq_disable": _ctl("irq_disable"),
    "local_irq_enable": _ctl("irq_enable"),
    "local_irq_save": _flags("irq_save"),
    "local_irq_restore": _flags("irq_restore"),
    **{f"smp_{k}": _barrier(k) for k in ("mb", "rmb", "wmb")},
    **{
        f"smp_mb__{k}": _barrier("mb")
        for k in ("before_atomic", "after_atomic", "after_srcu_read_unlock")
    },
    "barrier": _barrier("compiler"),
    **dict.fromkeys(("likely", "unlikely"), _same),
    "container_of": _cast,
    "choose": _choose,
    "assume": _assume,
    "await_until": _await,
    "this_cpu": lambda lo, e: lo.read(lo.lvalue(e), "plain", e.span),
    "fresh": _fresh,
    "__count": _count,
    "token_of": _token_of,
    "owner_of": _owner_of,
    **dict.fromkeys(
        (
            "WARN_ON",
            "WARN_ON_ONCE",
            "BUG_ON",
            "KVM_BUG_ON",
            "WARN_ONCE",
            "VM_WARN_ON_ONCE",
            "VM_BUG_ON",
        ),
        _warn,
    ),
    **dict.fromkeys(("xchg", "cmpxchg", "cmpxchg_relaxed", "cmpxchg_acquire"), _rmw),
    **dict.fromkeys(
        (
            *("set_bit", "clear_bit", "test_bit", "__set_bit", "__clear_bit"),
            *("test_and_set_bit", "test_and_clear_bit"),
        ),
        _bit,
    ),
    **dict.fromkeys(
        ("might_sleep", "cond_resched_tasks_rcu_qs", "lockdep_assert_irqs_disabled"), _nop
    ),
}
NAMES = frozenset(INTRINSICS) | {"current", "NULL", "atomic"}
