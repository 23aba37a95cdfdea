"""C that reaches outside the model: read as any value, written to nowhere, and always noted."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..base.source import Span
from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import Decls, Signature
from . import syntax as s
from .guess import COMPARE, INT, SAME, bare, kids, path
from .infer import PLACES
from .place import Note, Places, Value

UNSIGNED_TOP = 1 << 32
# Macros that write a local they are given by name: which argument.
OUT = {
    **dict.fromkeys(("rdmsrl", "rdmsrq", "rdmsr_safe", "rdmsrl_safe", "savesegment"), 1),
    **dict.fromkeys(("raw_spin_lock_irqsave", "spin_lock_irqsave", "read_lock_irqsave"), 1),
}
# Functions that the specification has with fewer parameters than the kernel: how many those are.
ABRIDGED: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("svm_handle_exit", "svm_vcpu_enter_exit", "svm_vcpu_run"), (2,)),
    **dict.fromkeys(("vmx_handle_exit", "vmx_vcpu_run", "kvm_check_and_inject_events"), (2,)),
    **dict.fromkeys(("switch_ldt", "install_ldt", "fstate_save", "fstate_restore"), (2,)),
    **dict.fromkeys(("kvm_vcpu_exit_request", "kvm_hyp_handle_fpsimd", "__load_stage2"), (2,)),
    **dict.fromkeys(("check_update_reserved_vmid", "kvm_riscv_vcpu_trap_redirect"), (2,)),
    **dict.fromkeys(("kvm_riscv_vcpu_guest_fp_save", "kvm_riscv_vcpu_guest_fp_restore"), (2,)),
    **dict.fromkeys(("vmx_vcpu_enter_exit", "kvm_riscv_vcpu_exit", "switch_mm_irqs_off"), (3,)),
    **dict.fromkeys(("pick_next_task", "try_to_wake_up", "prepare_task_switch"), (3,)),
    **dict.fromkeys(("smp_call_function_single", "context_switch"), (4,)),
    **{"try_to_block_task": (3,), "arch_exit_to_user_mode_prepare": (2,)},
}
# Functions that may sleep: called with preemption or interrupts off, the kernel warns.
SLEEPS = re.compile(
    r"(?:mutex_lock|down_read|down_write|wait_for_completion)(?!\w*try)\w*$|"
    r"(?:msleep|ssleep|usleep_range|fsleep|flush_work|cancel_work_sync|vmalloc|vzalloc)$|"
    r"synchronize_s?rcu\w*$|schedule_timeout\w*$"
)


class Opaque(Places):
    """The half of `lower.Lowering` for what the program has no state for."""

    def __init__(self, d: s.Def, decls: Decls, infer: bool, notes: list[Note] | None) -> None:
        super().__init__(d, decls, infer)
        self.notes = notes

    def invoke(self, e: s.Invoke, used: bool, want: ty.Type | None = None) -> Value:
        """A call; `lower.Lowering` has it."""
        raise NotImplementedError

    def note(self, kind: str, what: str, span: Span) -> None:
        """Tell the report what was left out."""
        if self.notes is not None:
            self.notes.append(Note(kind, what, self.d.name, span))

    def any_value(self, e: s.Expr, why: str, want: ty.Type | None, used: bool) -> Value:
        """Any value of the wanted type, for an expression that rests on opaque ``why``."""
        self.effects(e)
        if not used:
            return Value(o.Const(0), ty.VOID)
        self.note("opaque read", why, e.span)
        is_bool = isinstance(e, s.Binary) and e.op in COMPARE
        is_bool |= isinstance(e, s.Unary) and e.op in "!&"
        if isinstance(e, s.Unary) and e.op == "&":
            return Value(o.Const(1), ty.BOOL)
        known = self.guess.type(e)
        held = known if isinstance(known, ty.Ptr | ty.CpuId) else want or INT
        return self.choose(ty.BOOL if is_bool else held, why, e.span)

    def choose(self, t: ty.Type, why: str, span: Span) -> Value:
        """Any value of scalar type ``t``; -1, 0 or 1 for an int whose use tells nothing."""
        low: o.Expr = o.Const(0)
        high: o.Expr = o.Const(1)
        if t == INT:
            low = o.Const(-1)
        elif isinstance(t, ty.Int):
            low, high = o.Const(t.lo), o.Const(t.hi)
        elif isinstance(t, ty.CpuId):
            high = o.Bin("sub", o.Sym("NR_CPUS"), o.Const(1))
        elif isinstance(t, ty.Ptr) and t.struct in self.decls.structs:
            high = _count(self.decls.structs[t.struct].per)
        else:
            t = ty.BOOL
        dst = self.b.temp(t)
        clean = why.replace('"', "'")
        self.b.emit(o.Choose(dst.name, low, high, f"opaque {clean}", span))
        return Value(dst, t)

    def effects(self, e: s.Expr) -> None:
        """Evaluate what has a meaning inside an opaque expression: calls, accesses, assignments."""
        for k in kids(e):
            if isinstance(k, s.Str | s.Num):
                continue
            assert not isinstance(k, s.Stmt)
            nested = isinstance(k, s.Unary) and k.op in "&*"
            nested |= isinstance(self.guess.type(k), ty.Embed | ty.Array)
            if nested or self.guess.opaque(k):
                self.effects(k)
            else:
                self.rvalue(k, used=False)

    def drop_store(
        self, lhs: s.Expr, rhs: s.Expr | None, used: bool, want: ty.Type | None
    ) -> Value:
        """An assignment to an opaque place: the right side is evaluated, the store is noted."""
        self.effects(lhs)
        self.note("dropped store", path(lhs), lhs.span)
        if rhs is not None:
            return self.rvalue(rhs, used, want)
        return self.choose(want or INT, path(lhs), lhs.span) if used else Value(o.Const(0), ty.VOID)

    def place_is_opaque(self, e: s.Invoke) -> bool:
        """Whether an access macro is given a place that the program has no state for."""
        at = PLACES.get(e.fn, -1)
        if at < 0 or at >= len(e.args):
            return False
        place = bare(e.args[at])
        if isinstance(place, s.Unary) and place.op == "*":
            place = bare(place.a)
        return bool(self.guess.opaque(place)) or self.guess.type(place) is None

    def opaque_access(self, e: s.Invoke, used: bool, want: ty.Type | None) -> Value:
        """WRITE_ONCE, set_bit, atomic_inc … of an opaque place."""
        for i, a in enumerate(e.args):
            if i == PLACES[e.fn]:
                self.effects(a)
            else:
                self.rvalue(a, used=False)
        what = path(bare(e.args[PLACES[e.fn]]))
        if e.fn not in SAME and not e.fn.endswith("test_bit"):
            self.note("dropped store", what, e.span)
        if not used:
            return Value(o.Const(0), ty.VOID)
        self.note("opaque read", what, e.span)
        return self.choose(want or INT, what, e.span)

    def asks_for_unknown(self, e: s.Invoke, params: tuple[tuple[str, ty.Type], ...]) -> bool:
        """Whether a request function is given a request that the program does not have.

        kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu) sets a bit that nothing here reads; taking it
        for any request would invent wakeups.
        """
        names = [a for a, (n, _) in zip(e.args, params, strict=True) if n == "req"]
        return any(isinstance(a, s.Name) and bool(self.guess.opaque(a)) for a in names)

    def call_abridged(self, e: s.Invoke, sig: Signature, used: bool, want: ty.Type | None) -> Value:
        """A call of a function that the program has with fewer parameters.

        Each parameter takes the argument of its type, or the one that lies inside such an
        argument; a call that has none of that type is not one that the program models.
        """
        picked = [next((a for a in map(self._root(t), e.args) if a), None) for _, t in sig.params]
        if None in picked:
            for a in e.args:
                self.effects(a)
            self.note("dropped call", path(e), e.span)
            return (
                self.choose(want or sig.ret, path(e), e.span)
                if used
                else Value(o.Const(0), ty.VOID)
            )
        self.note("abridged call", path(e), e.span)
        args = tuple(a for a in picked if a is not None)
        return self.invoke(s.Invoke(e.fn, args, e.span), used, want)

    def _root(self, t: ty.Type) -> Callable[[s.Expr], s.Expr | None]:
        def find(a: s.Expr) -> s.Expr | None:
            at: s.Expr | None = a
            while at is not None and self.guess.type(at) != t:
                at = (
                    at.a
                    if isinstance(at, s.Unary)
                    else at.base
                    if isinstance(at, s.Member)
                    else None
                )
            return at

        return find

    def call_unknown(self, e: s.Invoke, used: bool, want: ty.Type | None) -> Value:
        """A function without a body here: its arguments are evaluated, locals it may write change.

        The result has the type that its use asks for; linking lets it be any value of that type.
        """
        if SLEEPS.match(e.fn):
            preemptible = o.Bin("eq", o.Leaf("preempt_count"), o.Const(0))
            open_ = o.Bin("and", preemptible, o.Un("not", o.Leaf("irqs_disabled")))
            self.b.emit(o.Check("KERNEL-WARN", open_, e.span))
        args: list[o.Expr] = []
        written: list[tuple[str, Span]] = []
        for i, a in enumerate(e.args):
            args.append(self._any_argument(e, a))
            local = a.a if isinstance(a, s.Unary) and a.op == "&" else None
            if OUT.get(e.fn) == i:
                local = a
            if isinstance(local, s.Name) and local.id in self.b.types:
                written.append((local.id, a.span))
        plain = isinstance(want, ty.Void) or (
            isinstance(want, ty.Ptr) and want.struct not in self.decls.structs
        )
        ret = INT if want is None or plain else want
        dst = self.b.temp(ret) if used else None
        self.b.emit(o.Call(dst.name if dst else "", e.fn, tuple(args), e.span))
        for name, span in written:
            v = self.choose(self.b.types[name], f"{e.fn}()", span)
            self.b.emit(o.Assign(name, v.expr, span))
        return Value(dst or o.Const(0), ret)

    def _any_argument(self, call: s.Invoke, a: s.Expr) -> o.Expr:
        """An argument that nothing will read: a value if it has one, else its name."""
        if isinstance(a, s.Str):
            return o.Const(0)
        if isinstance(a, s.Unary) and a.op == "&":
            held = None if self.guess.opaque(a.a) else self._struct_value(a.a)
            if held is not None:
                return held.expr
            self.effects(a)
            if self.guess.type(a.a) is not None and not isinstance(a.a, s.Name):
                self.note("opaque address", f"{call.fn}({path(a)})", a.span)
            return o.Const(0)
        if self.guess.opaque(a) or isinstance(self.guess.type(a), ty.Embed | ty.Array):
            self.effects(a)
            return o.Const(0, a.id if isinstance(a, s.Name) else "")
        return self.rvalue(a, want=ty.BOOL).expr

    def beside(self, e: s.Binary, other: s.Expr) -> ty.Type | None:
        """The type that a value compared with ``other`` needs: its own, or a constant's, ± 1."""
        if not self.is_c or e.op not in COMPARE:
            return None
        if isinstance(other, s.Unary) and other.op == "-" and isinstance(other.a, s.Num):
            other = s.Num(-other.a.value, other.span)
        if isinstance(other, s.Num):
            return ty.Int(other.value - 1, other.value + 1)
        if isinstance(other, s.Name) and other.id in self.decls.consts:
            n = self.decls.consts[other.id]
            return ty.Int(n - 1, n + 1)
        t = self.guess.type(other)
        return t if isinstance(t, ty.Int | ty.Ptr | ty.CpuId) else None

    def as_unsigned(self, e: s.Expr, v: Value) -> Value:
        """``v`` as a comparison sees it: after a cast to unsigned, -1 is large."""
        if not (isinstance(e, s.Invoke) and e.fn == "__unsigned"):
            return v
        if isinstance(v.expr, o.Const) and v.expr.value >= 0:
            return v
        if (isinstance(v.type, ty.Int) and v.type.lo >= 0) or isinstance(v.type, ty.Ptr):
            return v
        low = o.Bin("mul", o.Bin("lt", v.expr, o.Const(0)), o.Const(UNSIGNED_TOP))
        return Value(o.Bin("add", v.expr, low), INT)


def _count(per: str) -> o.Expr:
    names = {"cpu": "NR_CPUS", "task": "NR_TASKS", "vcpu": "NR_VCPUS", "vm": "NR_VMS"}
    return o.Sym(names[per]) if per in names else o.Const(1)
