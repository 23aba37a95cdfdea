"""Small programs for these tests: declarations, C and kernel Python lowered, and run on ints."""

from __future__ import annotations

from collections.abc import Callable

from loadput.ir import eval as ev
from loadput.ir import ops as o
from loadput.ir import types as ty
from loadput.ir.decls import Decls, Signature, StructDecl, VarDecl
from loadput.ir.spec import verify
from loadput.ir.text import parse_function, render_function
from loadput.lang.cfront import parse_c
from loadput.lang.lower import Note, lower
from loadput.lang.pyfront import parse_module

PTR = {n: ty.Ptr(n) for n in ("kvm_vcpu", "kvm", "preempt_notifier", "task_struct")}


def struct(name: str, per: str, **types: ty.Type) -> StructDecl:
    """A struct declaration with these fields."""
    return StructDecl(name, per, {n: VarDecl(n, t) for n, t in types.items()})


def program() -> Decls:
    """A small model of the vCPU: fresh each time, because inference adds to it."""
    structs = (
        struct(
            "kvm_vcpu",
            "vcpu",
            kvm=PTR["kvm"],
            cpu=ty.CPU,
            mode=ty.Int(0, 2),
            preempted=ty.BOOL,
            ready=ty.BOOL,
            wants_to_run=ty.BOOL,
            preempt_notifier=ty.Embed("preempt_notifier"),
            arch=ty.Embed("kvm_vcpu_arch"),
            requests=ty.Array(ty.BOOL, 4),
        ),
        struct("kvm_vcpu_arch", "vcpu", halted=ty.BOOL),
        struct("preempt_notifier", "vcpu"),
        struct("task_struct", "task", on_rq=ty.Int(0, 2)),
        struct("kvm", "vm", last_boosted_vcpu=ty.Int(0, 3)),
    )
    calls = (
        Signature("preempt_notifier_to_vcpu", (("pn", PTR["preempt_notifier"]),), PTR["kvm_vcpu"]),
        Signature("kvm_arch_vcpu_load", (("vcpu", PTR["kvm_vcpu"]), ("cpu", ty.CPU)), ty.VOID),
        Signature("kvm_arch_vcpu_put", (("vcpu", PTR["kvm_vcpu"]),), ty.VOID),
        Signature("kvm_make_request", (("req", ty.Int(0, 3)), ("vcpu", PTR["kvm_vcpu"])), ty.VOID),
    )
    return Decls(
        structs={x.name: x for x in structs},
        globals={
            "kvm_running_vcpu": VarDecl("kvm_running_vcpu", PTR["kvm_vcpu"], percpu=True),
            "counter": VarDecl("counter", ty.Int(0, 100)),
            "flag": VarDecl("flag", ty.BOOL),
        },
        consts={"IN_GUEST_MODE": 1, "EXITING_GUEST_MODE": 2, "KVM_REQ_EVENT": 0},
        funcs={c.name: c for c in calls},
    )


def lower_c(text: str, decls: Decls | None = None, notes: list[Note] | None = None) -> o.Function:
    """Lower the one C function in ``text``; the result is verified and survives as text."""
    decls = decls or program()
    (d,) = parse_c(text, "x.c", "user:x.c")
    fn = lower(d, decls, infer=True, notes=notes)
    verify(fn, decls)
    assert parse_function(render_function(fn)) == fn
    return fn


def lower_py(text: str) -> o.Function:
    """Lower the one kernel Python function in ``text``."""
    decls = program()
    (d,) = parse_module(text, "x.py", "user:x.c", {}).defs
    return lower(d, decls)


def body(fn: o.Function) -> str:
    """The IR as text without places."""
    return render_function(fn, spans=False)


def run(
    fn: o.Function,
    args: list[int],
    memory: dict[tuple[str, int | None], int] | None = None,
    calls: Callable[[str, list[int]], int] = lambda name, args: 0,
    **constants: int,
) -> tuple[int | None, dict[tuple[str, int | None], int]]:
    """Run one function alone on CPU 0: what it returns, and memory by (place, index)."""
    env = {n: 0 for n, _ in fn.locals} | {n: v for (n, _), v in zip(fn.params, args, strict=True)}
    mem = dict(memory or {})
    known = {**program().consts, "NR_CPUS": 2, "NR_VCPUS": 3, **constants}
    leaf = {"this_cpu": 0, "current": 1, "irqs_disabled": 0, "preempt_count": 0, "in_irq": 0}

    def value(e: o.Expr) -> int:
        if isinstance(e, o.Const):
            return e.value
        if isinstance(e, o.Sym):
            return known[e.name]
        if isinstance(e, o.Local):
            return env[e.name]
        if isinstance(e, o.Leaf):
            return leaf[e.name]
        if isinstance(e, o.Un):
            return ev.unary(e.op, value(e.a))
        return ev.binary(e.op, value(e.a), value(e.b))

    def at(p: o.Place) -> tuple[str, int | None]:
        return p.var, None if p.index is None else value(p.index)

    blocks = {b.label: b.ops for b in fn.blocks}
    label, steps = fn.blocks[0].label, 0
    while True:
        for op in blocks[label]:
            steps += 1
            assert steps < 10_000, "does not end"
            if isinstance(op, o.Assign):
                env[op.dst] = value(op.expr)
            elif isinstance(op, o.Load):
                env[op.dst] = mem.get(at(op.place), 0)
            elif isinstance(op, o.Store):
                mem[at(op.place)] = value(op.expr)
            elif isinstance(op, o.Call):
                got = calls(op.fn, [value(a) for a in op.args])
                if op.dst:
                    env[op.dst] = got
            elif isinstance(op, o.Return):
                return (None if op.expr is None else value(op.expr)), mem
            elif isinstance(op, o.Jump):
                label = op.to
            elif isinstance(op, o.Branch):
                label = op.then if value(op.cond) else op.other
