"""What properties ask of every register at once, so that a new one is watched without a new one.

A register is a per-CPU ``token[…]`` that some function of the program writes, but for a ``copy``.
It belongs to a task, a vCPU or a VM, as its token says. Its slots are the fields of that kind in
the owner's own structs.
"""

from __future__ import annotations

from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import VarDecl
from . import syntax as s
from .place import Cell, Places, Value


def _newest(owner: o.Expr) -> o.Expr:
    return o.Bin("sub", o.Bin("mul", owner, o.Const(2)), o.Bin("ne", owner, o.Const(0)))


class _Owned:
    """The registers of one owner, and what they and their slots hold."""

    def __init__(self, lo: Places, e: s.Invoke) -> None:
        v = lo.rvalue(e.args[0])
        if not isinstance(v.type, ty.Ptr) or v.type.struct not in lo.decls.structs:
            raise lo.fail(
                "LP0204", f"{e.fn}() of a {v.type}", e.span, expected="a task, a vCPU or a VM"
            )
        self.lo, self.span, self.owner = lo, e.span, v.expr
        self.domain = lo.decls.structs[v.type.struct].per
        self.newest = _newest(self.owner)
        known = sorted(lo.decls.globals.values(), key=lambda g: g.name)
        self.registers = [
            g
            for g in known
            if isinstance(g.type, ty.Token) and g.percpu and not g.copy and not g.ghost
            if g.type.domain == self.domain and g.name in lo.decls.written
        ]

    def holds(self, place: o.Place, t: ty.Type) -> o.Expr:
        held = self.lo.read(Cell(place, "", t), "plain", self.span).expr
        return o.Bin("eq", held, self.newest)

    def register(self, g: VarDecl) -> o.Expr:
        return self.holds(o.Place(g.name, o.Leaf("this_cpu")), g.type)

    def slots(self, g: VarDecl) -> list[o.Expr]:
        return [
            self.holds(o.Place(f"{name}.{f.name}", self.owner), f.type)
            for name, decl in sorted(self.lo.decls.structs.items())
            for f in decl.fields.values()
            if decl.per == self.domain and f.type == g.type and not f.ghost
        ]

    def goes_with_task(self, g: VarDecl) -> bool:
        tasks = [d for d in self.lo.decls.structs.values() if d.per == "task"]
        return any(f.type == g.type for d in tasks for f in d.fields.values())

    def is_enabled(self, g: VarDecl) -> o.Expr:
        struct, dot, name = g.lazy.partition(".")
        f = self.lo.decls.find_field(struct, name) if dot else self.lo.decls.globals.get(struct)
        if f is None:
            raise self.lo.fail(
                "LP0202",
                f"{g.name} is enabled by the unknown '{g.lazy}'",
                g.span,
                expected="a per-CPU variable, or struct.field of its owner",
            )
        index = self.owner if dot else o.Leaf("this_cpu")
        return self.lo.read(Cell(o.Place(g.lazy, index), "", f.type), "plain", self.span).expr


def _all(conditions: list[o.Expr], op: str = "and") -> o.Expr:
    out = conditions[0] if conditions else o.Const(1)
    for c in conditions[1:]:
        out = o.Bin(op, out, c)
    return out


def found(lo: Places, e: s.Invoke) -> Value:
    """registers_found(owner): it has its newest values on this CPU; or its use of the register
    traps, where that is lazy, and loads them from the slot.
    """
    own, out = _Owned(lo, e), []
    for g in own.registers:
        here = own.register(g)
        slots = own.slots(g) if g.lazy else []
        if slots:
            on = own.is_enabled(g)
            saved = o.Bin("and", o.Un("not", on), _all(slots))
            here = o.Bin("or", o.Bin("and", on, here), saved)
        out.append(here)
    return Value(_all(out), ty.BOOL)


def kept(lo: Places, e: s.Invoke) -> Value:
    """registers_kept(owner): this CPU has its newest values, or memory."""
    own = _Owned(lo, e)
    return Value(
        _all([_all([own.register(g), *own.slots(g)], "or") for g in own.registers]), ty.BOOL
    )


def saved(lo: Places, e: s.Invoke) -> Value:
    """registers_saved(owner): its slots hold its newest values. registers_put(owner): but those of
    registers that the switch of tasks takes along, as it has slots of its own for them.
    """
    own = _Owned(lo, e)
    wanted = [g for g in own.registers if e.fn == "registers_saved" or not own.goes_with_task(g)]
    return Value(_all([c for g in wanted for c in own.slots(g)]), ty.BOOL)
