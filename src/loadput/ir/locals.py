"""The locals of a function: who is written, who is still read."""

from __future__ import annotations

from . import ops as o


def assigned(fn: o.Function) -> set[str]:
    """The locals that something in ``fn`` writes."""
    return {o.dst_of(op) for b in fn.blocks for op in b.ops} - {""}


def liveness(fn: o.Function) -> dict[str, list[set[str]]]:
    """Per block, the locals live before each operation."""
    blocks = {b.label: b.ops for b in fn.blocks}
    live_in: dict[str, set[str]] = {b: set() for b in blocks}
    out: dict[str, list[set[str]]] = {}
    changed = True
    while changed:
        changed = False
        for b in reversed(fn.blocks):
            last = b.ops[-1]
            live: set[str] = set()
            if isinstance(last, o.Branch):
                live = live_in[last.then] | live_in[last.other]
            elif isinstance(last, o.Jump):
                live = set(live_in[last.to])
            rows = [live]
            for op in reversed(b.ops):
                live = live - {o.dst_of(op)}
                for e in o.exprs_of(op):
                    live = live | {x.name for x in o.walk(e) if isinstance(x, o.Local)}
                rows.append(live)
            rows.reverse()
            out[b.label] = rows
            if rows[0] != live_in[b.label]:
                live_in[b.label] = rows[0]
                changed = True
    return out
