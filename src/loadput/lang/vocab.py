"""The names with a meaning of their own in a kernel function, and what each lowers to.

``INTRINSICS`` maps a name to a function ``(lowering, call) -> Value``. Everything else that is
called is a function of the program, or opaque.
"""

from __future__ import annotations

import re

from ..ir import ops as o
from ..ir import types as ty
from . import registers
from . import syntax as s
from .guess import INT
from .lowering import Lowering, Rule, Words
from .place import Cell, Value, place_name
from .pydecl import nearest

NOTHING = Value(o.Const(0), ty.VOID)


def _cell(lo: Lowering, e: s.Expr) -> Cell:
    """The cell of ``x`` or ``&x``."""
    return lo.lvalue(e.a if isinstance(e, s.Unary) and e.op == "&" else e)


def _reader(mark: str) -> Rule:
    return lambda lo, e: lo.read(_cell(lo, e.args[0]), mark, e.span)


def _writer(mark: str, barrier: str = "") -> Rule:
    def rule(lo: Lowering, e: s.Invoke) -> Value:
        cell = _cell(lo, e.args[0])
        v = lo.rvalue(e.args[1], want=cell.type)
        lo.write(cell, lo.fit(v, cell.type, e.span, place_name(cell)), mark, e.span)
        if barrier:
            lo.b.emit(o.Barrier(barrier, e.span))
        return NOTHING

    return rule


def _pinned(rule: Rule, *, registers: bool = False) -> Rule:
    """A use that the kernel's DEBUG_PREEMPT checks: lib/smp_processor_id.c
    check_preemption_disabled(), of smp_processor_id(), __this_cpu_*() and this_cpu_ptr(). A
    this_cpu_*() is one instruction on whatever CPU it is, and raw_ ones ask for no check.

    :param registers: check only where a register is used: a CPU's, whatever the instruction
    """

    def checked(lo: Lowering, e: s.Invoke) -> Value:
        used = lo.find_per_cpu(e.args[0]) if e.args else None
        if used is not None and used.goes_along:
            return rule(lo, e)
        if not registers or (used is not None and used.is_register):
            lo.check_pinned(e.span)
        return rule(lo, e)

    return checked


def _this_cpu(lo: Lowering, e: s.Invoke) -> Value:
    """this_cpu(x): as *this_cpu_ptr(&x)."""
    return lo.read(lo.lvalue(e), "plain", e.span)


def _here(lo: Lowering, e: s.Invoke) -> Cell:
    arg = e.args[0]
    if isinstance(arg, s.Unary) and arg.op in "&*":
        arg = arg.a
    if isinstance(arg, s.Member | s.Index):
        return lo.lvalue(arg)
    g = lo.per_cpu_variable(lo.name_argument(e, 0))
    return Cell(o.Place(g.name, o.Leaf("this_cpu")), "", g.type)


def _this_cpu_read(lo: Lowering, e: s.Invoke) -> Value:
    return lo.read(_here(lo, e), "once", e.span)


def _this_cpu_write(lo: Lowering, e: s.Invoke) -> Value:
    cell = _here(lo, e)
    v = lo.rvalue(e.args[1], want=cell.type)
    lo.write(cell, lo.fit(v, cell.type, e.span, place_name(cell)), "once", e.span)
    return NOTHING


def _per_cpu_ptr(lo: Lowering, e: s.Invoke) -> Value:
    g = lo.per_cpu_variable(lo.name_argument(e, 0))
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
        arg = lo.name_argument(e, len(e.args) - 1)
        lo.b.local(arg.id, ty.BOOL)
        lo.b.emit(o.Ctl(what, arg.id, e.span))
        return NOTHING

    return rule


def _barrier(kind: str) -> Rule:
    def rule(lo: Lowering, e: s.Invoke) -> Value:
        lo.b.emit(o.Barrier(kind, e.span))
        return NOTHING

    return rule


def is_barrier(name: str) -> bool:
    """Whether ``name`` orders memory, and does nothing else."""
    return getattr(INTRINSICS.get(name), "__qualname__", "").startswith("_barrier.")


def _leaf(name: str, t: ty.Type) -> Rule:
    return lambda lo, e: Value(o.Leaf(name), t)


def _same(lo: Lowering, e: s.Invoke) -> Value:
    return lo.rvalue(e.args[0])


def _cast(lo: Lowering, e: s.Invoke) -> Value:
    """container_of(ptr, type, member): the same instance, seen as the outer struct."""
    v = lo.rvalue(e.args[0])
    struct = lo.name_argument(e, 1).id
    if not lo.is_c:
        of = lo.decls.structs.get(v.type.struct) if isinstance(v.type, ty.Ptr) else None
        to = lo.decls.structs.get(struct)
        if of is None or to is None or of.per != to.per:
            raise lo.fail(
                "LP0206",
                f"{e.fn}() from a {v.type} to '{struct}'",
                e.span,
                got="no struct of the program" if to is None else f"one per {to.per}",
                expected="container_of(pointer, struct, member), one of each for the same thing"
                + ("" if to else nearest(struct, lo.decls.structs)),
                next="loadput list state has the structs",
            )
    return Value(v.expr, ty.Ptr(struct))


def _choose(lo: Lowering, e: s.Invoke) -> Value:
    """choose() is true or false; choose(lo, hi) any number from lo to hi."""
    if len(e.args) == 1:
        raise lo.fail("LP0207", "choose with 1 argument", e.span, expected="none, or lo and hi")
    lo_e, hi_e = (o.Const(0), o.Const(1)) if not e.args else (lo.rvalue(a).expr for a in e.args[:2])
    if isinstance(lo_e, o.Const) and isinstance(hi_e, o.Const) and lo_e.value > hi_e.value:
        raise lo.fail(
            "LP0207", f"choose({lo_e.value}, {hi_e.value}) has no answer", e.span,
            expected="the lower bound first", next="assume(False) is a way that there is not",
        )  # fmt: skip
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
        raise lo.fail(
            "LP0209",
            "fresh() of something that is no token",
            e.span,
            got=f"{place_name(cell)}: {cell.type}",
            expected="a field or variable of type token[kind, domain]",
        )
    owner = _owner(lo, e, e.args[1], cell.type.domain)
    lo.b.emit(o.Fresh(cell.place, owner.expr, e.span))
    return NOTHING


def _owner(lo: Lowering, e: s.Invoke, a: s.Expr, domain: str = "") -> Value:
    """Who a token can belong to: a pointer to one of ``domain``, or of any."""
    v = lo.rvalue(a)
    per = lo.decls.structs[v.type.struct].per if isinstance(v.type, ty.Ptr) else ""
    if not lo.is_c and not (isinstance(v.expr, o.Const) and v.expr.value == 0):
        if not per or domain not in ("", per):
            wanted = f"a pointer to what there is one of per {domain}" if domain else "a pointer"
            raise lo.fail(
                "LP0209", f"{e.fn}() of an owner that is none", e.span,
                got=f"a value of type {v.type}", expected=wanted,
            )  # fmt: skip
    return v


def _token_of(lo: Lowering, e: s.Invoke) -> Value:
    """token_of(owner): the owner's current value; 0 for NULL."""
    v = _owner(lo, e, e.args[0])
    return Value(
        o.Bin("sub", o.Bin("mul", v.expr, o.Const(2)), o.Bin("ne", v.expr, o.Const(0))), INT
    )


def _owner_of(lo: Lowering, e: s.Invoke) -> Value:
    """owner_of(token): the owner as a pointer value, whatever the version; 0 for nobody."""
    v = lo.rvalue(e.args[0])
    if not lo.is_c and not isinstance(v.type, ty.Token):
        raise lo.fail(
            "LP0209", "owner_of() of something that is no token", e.span,
            got=f"a value of type {v.type}", expected="a value of type token[kind, domain]",
        )  # fmt: skip
    return Value(o.Bin("div", o.Bin("add", v.expr, o.Const(1)), o.Const(2)), INT)


WARNS = (
    *("WARN_ON", "WARN_ON_ONCE", "BUG_ON", "KVM_BUG_ON", "WARN_ONCE", "WARN", "WARN_RATELIMIT"),
    *("VM_WARN_ON", "VM_WARN_ON_ONCE", "VM_BUG_ON"),
)


def _warn(lo: Lowering, e: s.Invoke) -> Value:
    """WARN_ON and BUG_ON: that they fire is a finding, property KERNEL-WARN."""
    v = lo._truth(e.args[0]) if isinstance(e.args[0], s.Binary) else lo.rvalue(e.args[0])
    lo.b.emit(o.Check("KERNEL-WARN", o.Un("not", v.expr), e.span))
    return Value(v.expr, ty.BOOL)


def _rmw(lo: Lowering, e: s.Invoke) -> Value:
    """xchg(&x, new), cmpxchg(&x, old, new), try_cmpxchg-free: one atomic step."""
    cell = _cell(lo, e.args[0])
    args = [lo.rvalue(a).expr for a in e.args[1:]]
    lo.b.emit(o.Barrier("locked", e.span))
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
    """set_bit, clear_bit, test_bit, test_and_*_bit (nr, &word): one atomic step.

    Of an array of flags, set_bit() and clear_bit() store one.
    """
    cell = _cell(lo, e.args[1])
    if isinstance(cell.type, ty.Array) and e.fn in ("set_bit", "clear_bit"):
        flags = e.args[1].a if isinstance(e.args[1], s.Unary) else e.args[1]
        flag = lo.lvalue(s.Index(flags, e.args[0], e.span))
        lo.write(flag, o.Const(int(e.fn == "set_bit")), "locked", e.span)
        return NOTHING
    nr = lo.rvalue(e.args[0]).expr
    if ("set" in e.fn or "clear" in e.fn) and not e.fn.startswith("__"):
        lo.b.emit(o.Barrier("locked", e.span))
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
    name = lo.name_argument(e, 0).id
    if name != "cpu" and name not in lo.decls.structs:
        raise lo.fail("LP0206", f"loop over the unknown struct {name}", e.span, expected="a struct")
    per = "cpu" if name == "cpu" else lo.decls.structs[name].per
    return Value(
        o.Sym({"cpu": "NR_CPUS", "task": "NR_TASKS", "vcpu": "NR_VCPUS", "vm": "NR_VMS"}[per]), INT
    )


def _vcpu_at(lo: Lowering, e: s.Invoke) -> Value:
    """The vCPU with that index."""
    return Value(o.Bin("add", lo.rvalue(e.args[0]).expr, o.Const(1)), ty.Ptr("kvm_vcpu"))


def _vcpu_is_of(lo: Lowering, e: s.Invoke) -> Value:
    """Whether the vCPU with that index belongs to that VM."""
    at, kvm = e.args
    f = lo.decls.find_field("kvm_vcpu", "kvm")
    if f is None or lo.guess.opaque(kvm):
        return Value(o.Const(1), ty.BOOL)
    place = o.Place("kvm_vcpu.kvm", o.Bin("add", lo.rvalue(at).expr, o.Const(1)))
    own = lo.read(Cell(place, "", f.type), "plain", e.span)
    return Value(o.Bin("eq", own.expr, lo.rvalue(kvm).expr), ty.BOOL)


def _waits(lo: Lowering, e: s.Invoke) -> Value:
    """store_waits(x), for monitors and properties: whether a store to x is in a CPU's buffer."""
    waiting = lo.read(_cell(lo, e.args[0]), "late", e.span)
    return Value(o.Bin("ne", waiting.expr, o.Const(0)), ty.BOOL)


def _atomic_set(lo: Lowering, e: s.Invoke) -> Value:
    cell = _cell(lo, e.args[0])
    lo.write(cell, lo.rvalue(e.args[1], want=cell.type).expr, "once", e.span)
    return NOTHING


def _atomic_op(op: str, at: int, result: str = "", *, here: int = -1) -> Rule:
    """atomic_add(n, &x) (``at`` 1), atomic_inc(&x) (``at`` 0): one step.

    :param result: "" none, ``new`` the value after, ``zero`` whether that is 0
    :param here: a this_cpu_ operation on a per-CPU variable: argument that holds the amount, 0: 1
    """

    def rule(lo: Lowering, e: s.Invoke) -> Value:
        amount = here if here >= 0 else at - 1
        by = lo.rvalue(e.args[amount]).expr if amount > 0 or at else o.Const(1)
        cell = _here(lo, e) if here >= 0 else _cell(lo, e.args[at])
        if here < 0:
            lo.b.emit(o.Barrier("locked", e.span))
        lo._open_atomic(e.span)
        old = lo.read(cell, "once", e.span)
        new = lo.b.temp(old.type)
        lo.b.emit(o.Assign(new.name, o.Bin(op, old.expr, by), e.span))
        lo.write(cell, new, "once", e.span)
        lo._close_atomic(e.span)
        if result == "zero":
            return Value(o.Bin("eq", new, o.Const(0)), ty.BOOL)
        return Value(new, old.type) if result else NOTHING

    return rule


def _swap(lo: Lowering, e: s.Invoke) -> Value:
    """swap(a, b): two plain reads, two plain writes."""
    a, b = (lo.lvalue(x) for x in e.args[:2])
    was_a, was_b = (lo.read(c, "plain", e.span) for c in (a, b))
    keep = lo.b.temp(was_a.type)
    lo.b.emit(o.Assign(keep.name, was_a.expr, e.span))
    lo.write(a, was_b.expr, "plain", e.span)
    lo.write(b, keep, "plain", e.span)
    return NOTHING


def _bug(lo: Lowering, e: s.Invoke) -> Value:
    lo.b.emit(o.Check("KERNEL-WARN", o.Const(0), e.span))
    return NOTHING


def _bit_mask(lo: Lowering, e: s.Invoke) -> Value:
    return Value(o.Bin("shl", o.Const(1), lo.rvalue(e.args[0]).expr), INT)


def _pick(op: str) -> Rule:
    """min(a, b) and max(a, b)."""

    def rule(lo: Lowering, e: s.Invoke) -> Value:
        a, b = e.args[-2:]
        return lo.rvalue(s.Ternary(s.Binary(op, a, b, e.span), a, b, e.span))

    return rule


def _might_sleep(lo: Lowering, e: s.Invoke) -> Value:
    if lo.atomic and not lo.is_c:
        raise lo.fail(
            "LP0423", f"'with atomic:' in {lo.d.name} around what may sleep", e.span,
            got="might_sleep", expected="one step, in which no other task runs",
            next="end the atomic part before it, and look again after it",
        )  # fmt: skip
    return NOTHING


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
    "raw_this_cpu_read": _this_cpu_read,
    "raw_this_cpu_write": _this_cpu_write,
    "this_cpu_read": _pinned(_this_cpu_read, registers=True),
    "this_cpu_write": _pinned(_this_cpu_write, registers=True),
    "__this_cpu_read": _pinned(_this_cpu_read),
    "__this_cpu_write": _pinned(_this_cpu_write),
    **dict.fromkeys(("per_cpu", "per_cpu_ptr", "raw_cpu_ptr"), _per_cpu_ptr),
    "this_cpu_ptr": _pinned(_per_cpu_ptr),
    "smp_processor_id": _pinned(_leaf("this_cpu", ty.CPU)),
    **dict.fromkeys(("raw_smp_processor_id", "__smp_processor_id"), _leaf("this_cpu", ty.CPU)),
    "irqs_disabled": _leaf("irqs_disabled", ty.BOOL),
    "preempt_count": _leaf("preempt_count", INT),
    "in_hardirq": _leaf("in_irq", ty.BOOL),
    "get_cpu": _ctl("preempt_disable", o.Leaf("this_cpu")),
    "put_cpu": _ctl("preempt_enable"),
    "preempt_disable": _ctl("preempt_disable"),
    "preempt_enable": _ctl("preempt_enable"),
    "preempt_enable_no_resched": _ctl("preempt_enable_no_resched"),
    "preempt_count_reset": _ctl("preempt_reset"),
    "local_irq_disable": _ctl("irq_disable"),
    "local_irq_enable": _ctl("irq_enable"),
    "local_irq_save": _flags("irq_save"),
    "local_irq_restore": _flags("irq_restore"),
    **{f"smp_{k}": _barrier(k) for k in ("mb", "rmb", "wmb")},
    **{f"__smp_{k}": _barrier(k) for k in ("mb", "rmb", "wmb")},
    **{k: _barrier(k) for k in ("mb", "rmb", "wmb")},
    **{
        f"smp_mb__{k}": _barrier("mb")
        for k in (
            *("before_atomic", "after_atomic", "after_srcu_read_unlock", "after_spinlock"),
            "after_unlock_lock",
        )
    },
    "barrier": _barrier("compiler"),
    "smp_acquire__after_ctrl_dep": _barrier("rmb"),
    "smp_read_barrier_depends": _barrier("compiler"),
    **dict.fromkeys(("likely", "unlikely", "__unsigned"), _same),
    **dict.fromkeys(("container_of", "__pointer_cast"), _cast),
    **dict.fromkeys(("READ_ONCE_NOCHECK", "rcu_access_pointer", "raw_cpu_read"), _reader("once")),
    "data_race": _reader("once"),
    **dict.fromkeys(("atomic_read", "atomic_long_read", "atomic64_read"), _reader("once")),
    "atomic_set": _atomic_set,
    "store_waits": _waits,
    "atomic_inc": _atomic_op("add", 0),
    "atomic_dec": _atomic_op("sub", 0),
    "atomic_inc_return": _atomic_op("add", 0, "new"),
    "atomic_dec_return": _atomic_op("sub", 0, "new"),
    "atomic_dec_and_test": _atomic_op("sub", 0, "zero"),
    "atomic_inc_and_test": _atomic_op("add", 0, "zero"),
    "atomic_add": _atomic_op("add", 1),
    "atomic_sub": _atomic_op("sub", 1),
    "atomic_or": _atomic_op("or", 1),
    "atomic_and": _atomic_op("and", 1),
    "atomic_xchg": _rmw,
    **{p + "this_cpu_inc": _atomic_op("add", 0, here=0) for p in ("", "raw_")},
    "__this_cpu_inc": _pinned(_atomic_op("add", 0, here=0)),
    **{p + "this_cpu_dec": _atomic_op("sub", 0, here=0) for p in ("", "raw_")},
    "__this_cpu_dec": _pinned(_atomic_op("sub", 0, here=0)),
    **{p + "this_cpu_add": _atomic_op("add", 0, here=1) for p in ("", "raw_")},
    "__this_cpu_add": _pinned(_atomic_op("add", 0, here=1)),
    **{p + "this_cpu_sub": _atomic_op("sub", 0, here=1) for p in ("", "raw_")},
    "__this_cpu_sub": _pinned(_atomic_op("sub", 0, here=1)),
    "swap": _swap,
    "BUG": _bug,
    "BIT": _bit_mask,
    "BIT_ULL": _bit_mask,
    "min": _pick("<"),
    "max": _pick(">"),
    "__vcpu_at": _vcpu_at,
    "__vcpu_is_of": _vcpu_is_of,
    "choose": _choose,
    "assume": _assume,
    "await_until": _await,
    "this_cpu": _this_cpu,
    "fresh": _fresh,
    "__count": _count,
    "token_of": _token_of,
    "owner_of": _owner_of,
    "registers_found": registers.found,
    "registers_kept": registers.kept,
    **dict.fromkeys(("registers_saved", "registers_put"), registers.saved),
    **dict.fromkeys(WARNS, _warn),
    **dict.fromkeys(("xchg", "cmpxchg", "cmpxchg_relaxed", "cmpxchg_acquire"), _rmw),
    **dict.fromkeys(
        (
            *("set_bit", "clear_bit", "test_bit", "__set_bit", "__clear_bit"),
            *("test_and_set_bit", "test_and_clear_bit"),
        ),
        _bit,
    ),
    "might_sleep": _might_sleep,
    **dict.fromkeys(("cond_resched_tasks_rcu_qs", "lockdep_assert_irqs_disabled"), _nop),
}
# In C: traces, prints and checks of the kernel's own instrumentation. Their arguments are not
# evaluated (the kernel does so only where they are switched on); each is reported.
NO_EFFECT = re.compile(
    r"trace_\w+$|pr_\w+$|printk\w*$|_printk$|dev_(?:warn|err|info|dbg)\w*$|kvm_(?:info|err|debug)$|"
    r"vcpu_(?:unimpl|debug|err)\w*$|kvm_pr_unimpl\w*$|lockdep_\w+$|might_\w+$|__might_\w+$|"
    r"k[cma]san_\w+$|instrumentation_(?:begin|end)$|BUILD_BUG_ON\w*$|static_assert$|prefetchw?$|"
    r"(?:spin|rwlock|mutex|rwsem)_(?:acquire|release)$|(?:VCPU|VM|KVM)_EVENT$|"
    r"rcu_sleep_check$|RCU_LOCKDEP_WARN$|schedstat_\w+$|__schedstat_\w+$|perf_trace_\w+$"
)
# Least number of arguments; fewer is an error, not a crash.
ARITY: dict[str, int] = {
    **dict.fromkeys(INTRINSICS, 1),
    **dict.fromkeys(("this_cpu_ptr", "raw_cpu_ptr"), 1),
    **{k: 2 for k in INTRINSICS if k.endswith(("WRITE_ONCE", "_cpu_write", "_bit", "cmpxchg"))},
    **dict.fromkeys(("smp_store_release", "smp_store_mb", "rcu_assign_pointer", "atomic_set"), 2),
    **dict.fromkeys(("RCU_INIT_POINTER", "xchg", "atomic_xchg", "container_of", "fresh"), 2),
    **dict.fromkeys(("per_cpu", "per_cpu_ptr", "atomic_add", "atomic_sub", "atomic_or"), 2),
    **dict.fromkeys(("__pointer_cast", "__vcpu_is_of", "min", "max", "atomic_and"), 2),
    **dict.fromkeys(("cmpxchg", "cmpxchg_relaxed", "cmpxchg_acquire"), 3),
    **{k: 0 for k in INTRINSICS if k.startswith(("smp_", "preempt_", "might_", "lockdep_"))},
    **{p + k: 2 for p in ("", "__", "raw_") for k in ("this_cpu_add", "this_cpu_sub")},
    "swap": 2,
    **dict.fromkeys(
        ("BUG", "get_cpu", "put_cpu", "irqs_disabled", "in_hardirq", "barrier", "choose"), 0
    ),
    **dict.fromkeys(("local_irq_disable", "local_irq_enable", "raw_smp_processor_id"), 0),
    **dict.fromkeys(("__smp_processor_id", "mb", "rmb", "wmb", "cond_resched_tasks_rcu_qs"), 0),
    **{f"__smp_{k}": 0 for k in ("mb", "rmb", "wmb")},
    **dict.fromkeys(("smp_load_acquire",), 1),
    **dict.fromkeys(("smp_store_release", "smp_store_mb"), 2),
}
# Most arguments in kernel Python, where more than the least have a meaning.
MOST: dict[str, int] = {
    **dict.fromkeys(("WARN", "WARN_ONCE", "WARN_RATELIMIT", "KVM_BUG_ON"), 8),
    **{"choose": 2, "container_of": 3},
}
NAMES = frozenset(INTRINSICS) | {"current", "NULL", "atomic"}
WORDS = Words(INTRINSICS, ARITY, MOST, NO_EFFECT)
