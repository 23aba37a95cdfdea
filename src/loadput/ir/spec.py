"""What well-formed IR is, as code: run after every pass."""

from __future__ import annotations

from collections.abc import Iterator

from ..base.errors import IRError
from . import ops as o
from .decls import Decls
from .types import VOID, Embed


def _fail(fn: o.Function, op: o.Op | None, what: str, expected: str) -> None:
    span = op.span if op is not None else fn.span
    raise IRError("LP0302", what, span=span, where=f"function {fn.name}", expected=expected)


def verify(fn: o.Function, decls: Decls | None = None) -> None:
    """Raise IRError where ``fn`` is not well formed; return None.

    Checks: unique labels, one terminator at the end of each block, targets exist, locals are
    declared, operators are known, atomic regions close within the function on every path, and,
    with ``decls``, that each place exists and is indexed as its declaration says.
    """
    labels = [b.label for b in fn.blocks]
    if len(set(labels)) != len(labels) or not labels:
        _fail(fn, None, f"labels {labels}", "unique labels, at least one block")
    names = {n for n, _ in (*fn.params, *fn.locals)}
    for block in fn.blocks:
        if not block.ops or not isinstance(block.ops[-1], o.TERMINATORS):
            _fail(fn, None, f"block {block.label} has no terminator", "br, jmp or ret at the end")
        for i, op in enumerate(block.ops):
            if isinstance(op, o.TERMINATORS) and i != len(block.ops) - 1:
                _fail(fn, op, "terminator inside a block", "only at its end")
            _verify_op(fn, op, names, set(labels))
            if decls is not None:
                _verify_place(fn, op, decls)
    _verify_atomic(fn)


def _verify_op(fn: o.Function, op: o.Op, names: set[str], labels: set[str]) -> None:
    dst = o.dst_of(op)
    if dst and dst not in names:
        _fail(fn, op, f"undeclared local %{dst}", "a declared local")
    for top in o.exprs_of(op):
        for e in o.walk(top):
            if isinstance(e, o.Local) and e.name not in names:
                _fail(fn, op, f"undeclared local %{e.name}", "a declared local")
            if isinstance(e, o.Leaf) and e.name not in o.LEAVES:
                _fail(fn, op, f"unknown leaf @{e.name}", f"one of {', '.join(o.LEAVES)}")
            if isinstance(e, o.Un) and e.op not in o.UNARY:
                _fail(fn, op, f"unknown operator {e.op}", f"one of {', '.join(o.UNARY)}")
            if isinstance(e, o.Bin) and e.op not in o.BINARY:
                _fail(fn, op, f"unknown operator {e.op}", f"one of {', '.join(o.BINARY)}")
    if isinstance(op, o.Ctl) and op.what not in o.CTLS:
        _fail(fn, op, f"unknown ctl {op.what}", f"one of {', '.join(o.CTLS)}")
    targets = {
        *([op.then, op.other] if isinstance(op, o.Branch) else []),
        *([op.to] if isinstance(op, o.Jump) else []),
    }
    if not targets <= labels:
        _fail(fn, op, f"jump to {sorted(targets - labels)}", "an existing label")
    if isinstance(op, o.Return) and (op.expr is None) != (fn.ret == VOID):
        _fail(fn, op, "return does not fit the type", f"a value of type {fn.ret}")


def _verify_place(fn: o.Function, op: o.Op, decls: Decls) -> None:
    if not isinstance(op, o.Load | o.Store | o.Fresh):
        return
    struct, dot, name = op.place.var.partition(".")
    decl = decls.find_field(struct, name) if dot else decls.globals.get(struct)
    if decl is None or isinstance(decl.type, Embed):
        _fail(fn, op, f"no such place {op.place.var}", "a declared field or global")
        return
    if (op.place.index is not None) != (bool(dot) or decl.percpu):
        _fail(
            fn, op, f"index of {op.place.var}", "an index exactly for fields and per-CPU variables"
        )


def _verify_atomic(fn: o.Function) -> None:
    for op, depth in atomic_depths(fn):
        if depth < 0 or (isinstance(op, o.Return) and depth != 0):
            _fail(fn, op, "unbalanced atomic region", "begin and end within the function")


def atomic_depths(fn: o.Function) -> Iterator[tuple[o.Op, int]]:
    """Each operation that can be reached, and in how many atomic regions what follows it stands."""
    blocks = {b.label: b for b in fn.blocks}
    depth_at = {fn.blocks[0].label: 0}
    todo = [fn.blocks[0].label]
    while todo:
        label = todo.pop()
        depth = depth_at[label]
        for op in blocks[label].ops:
            if isinstance(op, o.Atomic):
                depth += 1 if op.on else -1
            yield op, depth
            targets = [op.then, op.other] if isinstance(op, o.Branch) else []
            targets += [op.to] if isinstance(op, o.Jump) else []
            for t in targets:
                if t not in depth_at:
                    depth_at[t] = depth
                    todo.append(t)
                elif depth_at[t] != depth:
                    _fail(fn, op, "atomic region differs by path", "the same nesting on every path")
