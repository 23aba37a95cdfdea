"""Put monitors and properties at the entries and exits that they name."""

from __future__ import annotations

from ..ir import ops as o
from ..ir.spec import verify
from ..ir.types import BOOL, VOID, Type
from ..link.hooks import property_of
from ..link.program import Program
from .forget import forgotten, watch


def weave(program: Program) -> dict[str, o.Function]:
    """Return the functions with their hooks called, in one atomic region at each point."""
    out = {}
    hook_fns = {h.name: h for hs in program.hooks.values() for h in hs}
    state_fns = {
        p.fn.name: p.fn for p in program.properties if p.fn and p.kind in ("always", "stuck")
    }
    for name, fn in {**program.functions, **hook_fns, **state_fns}.items():
        entry = program.hooks.get(("at_entry", name), [])
        leave = program.hooks.get(("at_exit", name), [])
        out[name] = _weave(fn, entry, leave) if entry or leave else fn
        verify(out[name], program.decls)
    dead = forgotten(hook_fns)
    return {name: watch(fn, dead) for name, fn in out.items()} if dead else out


def _calls(
    fn: o.Function, hooks: list[o.Function], where: str
) -> tuple[list[o.Op], list[tuple[str, Type]]]:
    ghost = "before" if where == "entry" else "after"
    body: list[o.Op] = [o.Atomic(True, fn.span, ghost)]
    extra: list[tuple[str, Type]] = []
    for h in hooks:
        args = tuple(
            o.Const(int(where == "entry"))
            if n == "entry"
            else o.Local("ret." if n == "ret" else f"in.{fn.params[i][0]}")
            for i, (n, _) in enumerate(h.params)
        )
        if h.ret == VOID:
            body.append(o.Call("", h.name, args, h.span))
            continue
        dst = f"{where}.{h.name}"
        extra.append((dst, BOOL))
        body.append(o.Call(dst, h.name, args, h.span))
        body.append(o.Check(property_of(h), o.Local(dst), h.span))
    body.append(o.Atomic(False, fn.span, ghost))
    return body, extra


def _weave(fn: o.Function, entry: list[o.Function], leave: list[o.Function]) -> o.Function:
    before, more1 = _calls(fn, entry, "entry")
    after, more2 = _calls(fn, leave, "exit")
    keep: list[o.Op] = [o.Assign(f"in.{n}", o.Local(n), fn.span) for n, _ in fn.params]
    locals_ = [*fn.locals, *((f"in.{n}", t) for n, t in fn.params), *more1, *more2]
    if fn.ret != VOID:
        locals_.append(("ret.", fn.ret))
    blocks = []
    for i, b in enumerate(fn.blocks):
        ops: list[o.Op] = [*keep, *(before if entry else [])] if i == 0 else []
        for op in b.ops:
            if isinstance(op, o.Return) and leave:
                if op.expr is not None:
                    ops.append(o.Assign("ret.", op.expr, op.span))
                    op = o.Return(o.Local("ret."), op.span)
                ops += after
            ops.append(op)
        blocks.append(o.Block(b.label, tuple(ops)))
    return o.Function(
        fn.name,
        fn.params,
        fn.ret,
        tuple(locals_),
        tuple(blocks),
        fn.attrs,
        fn.origin,
        fn.span,
        fn.doc,
    )
