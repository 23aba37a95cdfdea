"""The kernel's loop macros, written out.

`kvm_for_each_vcpu` is an xarray walk: the next vCPU is the first one *after the index as the body
left it*, so a body that assigns the index (as kvm_vcpu_on_spin does) moves the walk; when none is
left the pointer is NULL and the index stays. Source: include/linux/xarray.h, xa_for_each_range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...base.source import Span
from .. import syntax as s

if TYPE_CHECKING:
    from tree_sitter import Node

CPUS = ("for_each_possible_cpu", "for_each_online_cpu", "for_each_present_cpu")
KNOWN = ("kvm_for_each_vcpu(i, vcpu, kvm)", *(f"{n}(cpu)" for n in CPUS))


def is_known(macro: str, count: int) -> bool:
    """Whether `lower_loop` has a meaning for ``macro`` with that many arguments."""
    return (macro, count) == ("kvm_for_each_vcpu", 3) or (macro in CPUS and count == 1)


def arguments(n: Node) -> list[Node]:
    """The arguments of a macro that was parsed as ``while (a, b, c)``."""
    if n.type in ("parenthesized_expression", "comma_expression"):
        return [a for c in n.named_children if c.type != "comment" for a in arguments(c)]
    return [n]


def lower_loop(
    macro: str, args: list[s.Expr], body: tuple[s.Stmt, ...], sp: Span, scratch: str
) -> s.Stmt:
    """The loop as C's for; ``scratch`` is a local name that nothing else uses."""
    if macro in CPUS:
        cpu = args[0]
        count = s.Invoke("__count", (s.Name("cpu", sp),), sp)
        return s.For(
            (_set(cpu, s.Num(0, sp), sp),),
            s.Binary("<", cpu, count, sp),
            (_set(cpu, _next(cpu, sp), sp),),
            body,
            sp,
        )
    index, vcpu, kvm = args
    seek = s.Name(scratch, sp)
    in_range = s.Binary("<", seek, s.Invoke("__count", (s.Name("kvm_vcpu", sp),), sp), sp)
    is_other = s.Unary("!", s.Invoke("__vcpu_is_of", (seek, kvm), sp), sp)
    walk = (
        s.While(s.Binary("&&", in_range, is_other, sp), (_set(seek, _next(seek, sp), sp),), sp),
        s.If(
            in_range,
            (),
            (_set(vcpu, s.Name("NULL", sp), sp), s.BreakStmt(sp)),
            sp,
        ),
        _set(index, seek, sp),
        _set(vcpu, s.Invoke("__vcpu_at", (seek,), sp), sp),
    )
    start = (_set(index, s.Num(0, sp), sp), _set(seek, s.Num(0, sp), sp))
    return s.For(start, None, (_set(seek, _next(index, sp), sp),), (*walk, *body), sp)


def _set(lhs: s.Expr, rhs: s.Expr, sp: Span) -> s.Stmt:
    return s.ExprStmt(s.AssignE(lhs, "", rhs, sp), sp)


def _next(e: s.Expr, sp: Span) -> s.Expr:
    return s.Binary("+", e, s.Num(1, sp), sp)
