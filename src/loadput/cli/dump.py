"""``loadput dump``: any stage of a program."""

from __future__ import annotations

from typing import Any

import click

from .options import make_choice, program_options

STAGES = ("ast", "ir", "woven", "nodes", "points", "state")


@click.command("dump")
@click.option("--stage", type=click.Choice(STAGES), default="ir", show_default=True)
@click.option("--fn", default="", help="one function")
@program_options()
def command(stage: str, fn: str, **opts: Any) -> None:
    """A function or the whole program: syntax tree, IR, IR with properties, flat nodes, the points
    at which steps begin and end, the packed state.
    """
    from ..base.errors import LinkError
    from ..link.program import link
    from ..link.scenario import load_scenario

    p = link(make_choice(opts), load_scenario(opts["scenario"]))
    if fn and fn not in p.functions:
        import difflib

        near = difflib.get_close_matches(fn, p.functions, 1)
        raise LinkError(
            "LP0403",
            f"no function '{fn}' in this program" + (f"; nearest: {near[0]}" if near else ""),
            next="loadput dump lists all",
        )
    for line in _lines(stage, fn, p):
        click.echo(line)


def _lines(stage: str, fn: str, p: Any) -> list[str]:
    from ..ir.text import render_function

    if stage == "ast":
        import pprint

        from ..link.stack import stack

        defs = stack(p.choice).defs
        return [pprint.pformat(defs[n], width=100) for n in ([fn] if fn else sorted(p.functions))]
    if stage in ("ir", "woven"):
        from ..machine.weave import weave

        fns = p.functions if stage == "ir" else weave(p)
        names = [fn] if fn else sorted(fns)
        return [render_function(fns[n], spans=bool(fn)) for n in names]
    from ..machine.model import build_machine

    m = build_machine(p)
    if stage == "state":
        return [f"{s.name:40s} {s.lo:4d}..{s.hi:<4d} {s.bits} bits" for s in m.slots]
    return _nodes(m, fn, stage == "points")


def _nodes(m: Any, fn: str, points: bool) -> list[str]:
    from ..ir.text import render_op
    from ..machine.nodes import Cut, End, Push, Restrict

    out = []
    kind_of = ("free", "stop", "visible")
    for n in m.graph.nodes:
        if (fn and fn not in n.stack) or (points and n.id not in m.fused.pc_of):
            continue
        own = isinstance(n.op, Cut | End | Push | Restrict)
        text = type(n.op).__name__.lower() if own else render_op(n.op)
        where = f"{n.stack[-1]} ({n.op.span})"
        flags = f"{'irqs off' if n.irqs_off else '':8s} preempt {n.depth}"
        nexts = ",".join(map(str, n.next))
        head = f"{n.id:5d} {n.kind:5s} {kind_of[m.fused.cls[n.id]]:7s} {flags}"
        out.append(f"{head}  {text} -> {nexts}  {where}")
    return out
