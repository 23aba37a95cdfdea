"""The mutants of a program: every kernel function, damaged in one place in one way.

Only functions of the kernel are damaged: those of ``spec/mainline`` but for the actors, of
``spec/arch`` and of ``spec/release``, that say which function they mirror. What stands for user
space, devices, the guest or the hardware is not the kernel's to get wrong, nor is what only user
space writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from loadput.base.errors import IRError
from loadput.ir import ops as o
from loadput.ir import types as ty
from loadput.ir.calls import reach
from loadput.ir.spec import verify
from loadput.ir.text import render_expr, render_op
from loadput.link.program import Program

ACTORS = "spec/mainline/machine/"
ROOMS = ("spec/mainline/", "spec/arch/", "spec/release/")
USERS = ("kvm_vcpu.immediate_exit",)
"""Of struct kvm_run: what a kernel function's body stores here, in the model, is user space's."""
HARDWARE = (
    *("guest_runs", "guest_takes_doorbell", "guest_with_apicv", "fill_tlb", "take_ipis"),
    *("vmrun_flushes", "vmrun_takes_irr", "vm_exit_clears_debugctl"),
)
"""What the guest and the hardware do: where a function calls these, its C has no statement."""
KINDS = {
    "store": "a store is dropped",
    "call": "a call is dropped",
    "condition": "a condition is negated",
    "swap": "two neighbouring effects change places",
    "owner": "a comparison of CPUs, vCPUs or tasks is off by one",
    "protection": "preemption or interrupts are not switched off",
    "order": "a barrier or the mark of an access is dropped",
}
OFF = ("preempt_disable", "irq_disable", "irq_save")
ON = ("preempt_enable", "preempt_enable_no_resched", "irq_enable", "irq_restore")


@dataclass(frozen=True, slots=True)
class Edit:
    """In block ``label``, the ``n`` operations from number ``i`` on become ``ops``."""

    label: str
    i: int
    n: int
    ops: tuple[o.Op, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One damage to function ``fn``; ``what`` says it in a line."""

    kind: str
    fn: o.Function
    edits: tuple[Edit, ...]
    what: str
    place: str

    @property
    def name(self) -> str:
        e = self.edits[0]
        return f"{self.fn.name} {e.label}.{e.i} {self.kind}"

    @property
    def new(self) -> o.Function:
        """The damaged function."""
        blocks = []
        for b in self.fn.blocks:
            ops = b.ops
            for e in sorted((e for e in self.edits if e.label == b.label), key=lambda e: -e.i):
                ops = (*ops[: e.i], *e.ops, *ops[e.i + e.n :])
            blocks.append(replace(b, ops=ops))
        return replace(self.fn, blocks=tuple(blocks))


def is_kernel(fn: o.Function) -> bool:
    """Whether ``fn`` is a function of the kernel, and not what it meets or a place to look."""
    file = fn.span.file
    return (
        file.startswith(ROOMS)
        and not file.startswith(ACTORS)
        and re.search(r"Mirrors:\s+(?!nothing|none)", fn.doc) is not None
        and not fn.doc.startswith("In the guest:")
        and not {"env", "task", "idle"} & set(fn.attrs)
    )


def mutants(p: Program) -> list[Mutant]:
    """Every mutant of ``p``, in the order of its functions' names and of their operations."""
    out = []
    for _, fn in sorted(p.functions.items()):
        if not is_kernel(fn) or fn.doc.startswith("Ours: user mode"):
            continue  # what it mirrors loads what that needs
        for m in _of(fn, p):
            try:
                verify(m.new, p.decls)
            except IRError:
                continue
            if m.new != fn:
                out.append(m)
    return out


def _of(fn: o.Function, p: Program) -> Iterator[Mutant]:
    for block in fn.blocks:
        free = {op.dst for op in block.ops if isinstance(op, o.Choose)}
        for i, op in enumerate(block.ops):
            if _is_users(op) or _is_free(op, free) or _empties(op, p):
                continue
            for kind, what, ops in _damages(fn, op, p):
                yield _mutant(kind, fn, (Edit(block.label, i, 1, ops),), what, op)
        yield from _swaps(fn, block, p)
    yield from _unprotected(fn)


def _mutant(kind: str, fn: o.Function, edits: tuple[Edit, ...], what: str, op: o.Op) -> Mutant:
    return Mutant(kind, fn, edits, what, f"{op.span.file}:{op.span.line}")


Damage = tuple[str, str, tuple[o.Op, ...]]


def _damages(fn: o.Function, op: o.Op, p: Program) -> Iterator[Damage]:
    """What can go wrong with one operation alone."""
    text = render_op(op)
    if isinstance(op, o.Store | o.Fresh):
        yield "store", f"without {text}", ()
    if isinstance(op, o.Store | o.Load) and op.mark != "plain":
        yield "order", f"plain {text}", (replace(op, mark="plain"),)
    if isinstance(op, o.Barrier):
        yield "order", f"without {text}", ()
    if isinstance(op, o.Call):
        yield from _no_call(fn, op, p)
    if isinstance(op, o.Branch) and not isinstance(op.cond, o.Const | o.Sym):
        flipped = replace(op, then=op.other, other=op.then)
        yield "condition", f"not {render_expr(op.cond)}", (flipped,)
    if isinstance(op, o.Return) and fn.ret == ty.BOOL and isinstance(op.expr, o.Un | o.Bin):
        yield "condition", f"return not {render_expr(op.expr)}", (_negated(op),)
    for e, new in _off_by_one(fn, op, p):
        yield "owner", f"{render_expr(new)} for {render_expr(e)}", (_replaced(op, e, new),)


def _negated(op: o.Return) -> o.Return:
    assert op.expr is not None
    return replace(op, expr=o.Un("not", op.expr))


def _no_call(fn: o.Function, op: o.Call, p: Program) -> Iterator[Damage]:
    """Without the call; a number or truth value that it returns is 0 then, a pointer is needed."""
    callee = p.functions.get(op.fn)
    if op.fn in HARDWARE:
        return
    if not op.dst:
        yield "call", f"without {render_op(op)}", ()
        return
    ret = callee.ret if callee is not None else fn.type_of(op.dst)
    if isinstance(ret, ty.Int) and ret.lo <= 0 <= ret.hi:
        yield "call", f"without {render_op(op)}: 0", (o.Assign(op.dst, o.Const(0), op.span),)


COMPARE = {"eq": "eq", "ne": "ne", "lt": "le", "le": "lt", "gt": "ge", "ge": "gt"}


def _off_by_one(fn: o.Function, op: o.Op, p: Program) -> Iterator[tuple[o.Expr, o.Expr]]:
    """Comparisons of who somebody is or where: ``a == b + 1``, ``<=`` for ``<``."""
    if not isinstance(op, o.Branch | o.Return | o.Assign | o.Call | o.Store | o.Assume):
        return
    for top in o.exprs_of(op):
        for e in o.walk(top):
            if not isinstance(e, o.Bin) or e.op not in COMPARE:
                continue
            if not (_is_owner(fn, e.a) or _is_owner(fn, e.b)) or _is_null(e.a) or _is_null(e.b):
                continue
            if e.op in ("eq", "ne"):
                yield e, o.Bin(e.op, e.a, _plus_one(e.b))
            else:
                yield e, o.Bin(COMPARE[e.op], e.a, e.b)


def _plus_one(e: o.Expr) -> o.Expr:
    return o.Const(e.value + 1) if isinstance(e, o.Const) else o.Bin("add", e, o.Const(1))


def _is_null(e: o.Expr) -> bool:
    return isinstance(e, o.Const) and e.name == "NULL"


def _is_owner(fn: o.Function, e: o.Expr) -> bool:
    if isinstance(e, o.Leaf):
        return e.name in ("this_cpu", "current")
    if isinstance(e, o.Local):
        return isinstance(fn.type_of(e.name), ty.Ptr | ty.CpuId | ty.Token)
    return False


def _replaced(op: o.Op, old: o.Expr, new: o.Expr) -> o.Op:
    """``op`` with ``new`` for the sub-expression ``old``, the same object."""

    def change(e: o.Expr) -> o.Expr:
        if e is old:
            return new
        if isinstance(e, o.Un):
            return o.Un(e.op, change(e.a))
        if isinstance(e, o.Bin):
            return o.Bin(e.op, change(e.a), change(e.b))
        return e

    if isinstance(op, o.Branch | o.Assume):
        return replace(op, cond=change(op.cond))
    if isinstance(op, o.Call):
        return replace(op, args=tuple(change(a) for a in op.args))
    assert isinstance(op, o.Return | o.Assign | o.Store) and op.expr is not None
    return replace(op, expr=change(op.expr))


# two neighbours


def _statements(block: o.Block) -> Iterator[tuple[int, tuple[o.Op, ...]]]:
    """The block cut after each operation that does something, with its temporaries."""
    start = 0
    for i, op in enumerate(block.ops):
        temporary = o.dst_of(op).startswith(".") and not isinstance(op, o.Ctl)
        if not temporary:
            yield start, block.ops[start : i + 1]
            start = i + 1


def _swaps(fn: o.Function, block: o.Block, p: Program) -> Iterator[Mutant]:
    rows = list(_statements(block))
    for (i, a), (_, b) in pairwise(rows):
        if _has_effect(a, p) and _has_effect(b, p) and _may_swap(a, b):
            what = f"{render_op(b[-1])} before {render_op(a[-1])}"
            edit = Edit(block.label, i, len(a) + len(b), (*b, *a))
            yield _mutant("swap", fn, (edit,), what, a[-1])


def _has_effect(ops: tuple[o.Op, ...], p: Program) -> bool:
    if any(_is_users(op) or (isinstance(op, o.Call) and op.fn in HARDWARE) for op in ops):
        return False
    return any(
        isinstance(op, o.Store | o.Fresh | o.Ctl) or (isinstance(op, o.Call) and _does(op.fn, p))
        for op in ops
    )


def _does(name: str, p: Program) -> bool:
    """Whether a function does more than to say where something is."""
    called = reach(p.functions, [name])
    return name not in p.functions or any(
        not isinstance(op, (o.Assign, o.Call, *o.TERMINATORS))
        for n in called
        for b in p.functions[n].blocks
        for op in b.ops
    )


def _is_users(op: o.Op) -> bool:
    return isinstance(op, o.Store) and op.place.var in USERS


def _is_free(op: o.Op, free: set[str]) -> bool:
    """A test of a free choice: its negation is the same program."""
    return isinstance(op, o.Branch) and isinstance(op.cond, o.Local) and op.cond.name in free


def _empties(op: o.Op, p: Program) -> bool:
    """A value that is forgotten, because nobody may read it: the model's word, no store of the C's.

    Of memory, what a register has got newer; of a register that the guest and the task share, two
    variables here (``hw_fp``, ``hw_guest_fp``), the one whose value has gone.
    """
    if not isinstance(op, o.Store) or not isinstance(op.expr, o.Const) or op.expr.value:
        return False
    struct, dot, name = op.place.var.partition(".")
    decl = p.decls.find_field(struct, name) if dot else p.decls.globals.get(struct)
    if decl is None or not isinstance(decl.type, ty.Token):
        return False
    return bool(dot) or (decl.is_register and _other(decl.name) in p.decls.globals)


def _other(register: str) -> str:
    """The variable of the other owner's value in the same register."""
    own = register.replace("hw_guest_", "hw_")
    return own if own != register else register.replace("hw_", "hw_guest_")


def _may_swap(a: tuple[o.Op, ...], b: tuple[o.Op, ...]) -> bool:
    """Whether the two statements can change places and still make sense."""
    every = (*a, *b)
    if any(isinstance(op, (*o.TERMINATORS, o.Atomic, o.Assume, o.Barrier)) for op in every):
        return False
    if all(any(isinstance(op, o.Ctl) for op in s) for s in (a, b)):
        return False
    made_a, made_b = ({o.dst_of(op) for op in s} - {""} for s in (a, b))
    return not (made_a & (_used(b) | made_b) or made_b & _used(a))


def _used(ops: tuple[o.Op, ...]) -> set[str]:
    return {
        e.name for op in ops for t in o.exprs_of(op) for e in o.walk(t) if isinstance(e, o.Local)
    }


# protection


def _unprotected(fn: o.Function) -> Iterator[Mutant]:
    """Without one ``preempt_disable()`` or ``local_irq_disable()``, and without what ends it."""
    for at, ends in sorted(_pairs(fn).items()):
        op = next(b.ops[at[1]] for b in fn.blocks if b.label == at[0])
        edits = tuple(Edit(label, i, 1, ()) for label, i in (at, *sorted(ends)))
        yield _mutant("protection", fn, edits, f"without {render_op(op)} to its end", op)


def _pairs(fn: o.Function) -> dict[tuple[str, int], set[tuple[str, int]]]:
    """Where each protection begins, and where it ends, on every way through the function."""
    blocks = {b.label: b.ops for b in fn.blocks}
    out: dict[tuple[str, int], set[tuple[str, int]]] = {}
    Open = tuple[tuple[str, int, bool], ...]
    todo: list[tuple[str, Open]] = [(fn.blocks[0].label, ())]
    seen: set[tuple[str, Open]] = set()
    while todo:
        label, held = todo.pop()
        if (label, held) in seen:
            continue
        seen.add((label, held))
        for i, op in enumerate(blocks[label]):
            if isinstance(op, o.Ctl):
                irq = op.what.startswith("irq")
                if op.what in OFF:
                    if (label, i, irq) not in held:  # not once more on each turn of a loop
                        held = (*held, (label, i, irq))
                    out.setdefault((label, i), set())
                elif any(h[2] == irq for h in held):
                    k = max(j for j, h in enumerate(held) if h[2] == irq)
                    out[held[k][:2]].add((label, i))
                    held = (*held[:k], *held[k + 1 :])
            elif isinstance(op, o.Branch):
                todo += [(op.then, held), (op.other, held)]
            elif isinstance(op, o.Jump):
                todo.append((op.to, held))
    return {at: ends for at, ends in out.items() if ends}
