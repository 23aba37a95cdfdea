"""The comparison of designs, as plain text and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..check.compare import Comparison, Row
from ..check.verdict import UNDECIDED
from .json import SCHEMA, program_result
from .text import EDGE, number, wrap

TITLES = {"A": "sched_in hook", "B": "argument", "C": "hook loads", "D": "scheduled_out"}
ACROSS = 4
"""Designs that fit beside each other in 72 columns; more go below."""


def _order(c: Comparison) -> list[str]:
    return list(dict.fromkeys([*(r.design for r in c.rows), *(d for d, _ in c.left)]))


def _table(c: Comparison, archs: list[str], designs: list[str]) -> list[str]:
    """One row an architecture, one column a design."""
    wide = max(12, *(len(a) + 1 for a in archs))

    def line(first: str, cells: list[str]) -> str:
        return (f"{first:{wide}s}" + "".join(f"{x:>15s}" for x in cells)).rstrip()

    out = [line("design", designs)]
    if any(d in TITLES for d in designs):
        out.append(line("", [TITLES.get(d, "") for d in designs]))
    found = {(r.design, r.arch): r for r in c.rows}

    def lines(told: Callable[[Row], str], missing: str) -> list[str]:
        def cell(d: str, a: str) -> str:
            return told(found[d, a]) if (d, a) in found else missing

        return [line(a, [cell(d, a) for d in designs]) for a in archs]

    out += ["verdict", *lines(lambda r: r.result.verdict, UNDECIDED)]
    out += ["states", *lines(lambda r: number(r.result.states), "-")]
    out.append("arch functions that the design defines or changes")
    return out + lines(lambda r: str(len(r.functions)), "-")


def render_comparison(
    c: Comparison, *, command: str = "loadput compare", left_out: Sequence[str] = ()
) -> str:
    """The tables: verdicts, states, churn, what arch code can learn, whether order matters."""
    archs = list(dict.fromkeys([*(r.arch for r in c.rows), *(a for _, a in c.left)]))
    designs = _order(c)
    assert c.scenario is not None
    out = [
        *wrap("scenario", f"{c.scenario.name}: {c.scenario.title}"),
        *wrap("release", c.release),
    ]
    for at in range(0, len(designs), ACROSS):
        out += ["", *_table(c, archs, designs[at : at + ACROSS])]
    out.append("")
    for label, key in (("told at load", "at_load"), ("told at put", "at_put")):
        said = []
        for d in designs:
            values = {getattr(r, key) for r in c.rows if r.design == d}
            said.append(
                f"{d} {'yes' if values == {True} else 'no' if values == {False} else 'some'}"
            )
        out += wrap(label, "  ".join(said))
    for d in designs:
        orders = {r.arch: r.order for r in c.rows if r.design == d and r.order}
        if orders:
            groups = {o: [a for a in orders if orders[a] == o] for o in orders.values()}
            said = [f"{', '.join(g)}: {o}" if len(groups) > 1 else o for o, g in groups.items()]
            text = "; ".join(said)
            out += wrap("order matters", f"{d} {text}")
    of = {r.result.choice.title: r.design for r in c.rows}
    same: dict[tuple[str, str], list[str]] = {}
    for r in c.rows:
        if title := r.result.exploration.title:
            same.setdefault((r.design, of.get(title, title)), []).append(r.arch)
    for (d, other), on in same.items():
        out += wrap("same program", f"{d} is {other} step by step: {', '.join(on)}")
    for r in c.rows:
        if r.result.violated:
            out += wrap("violated", f"{r.design} on {r.arch}: {r.result.violated[0]} first")
    for a in archs:
        if e := c.known(a):
            out += wrap(
                "as it is", f"the release violates on {a}: {', '.join(e.violates)}; {e.why}"
            )
    out.append("")
    if c.left:
        out += wrap("not decided", f"{len(c.left)} of {len(c.left) + len(c.rows)} not begun")
    if left_out:
        out += wrap("left out", f"{', '.join(left_out)}: --arch all takes longer")
    out += [*wrap("not covered", EDGE), *wrap("again", command)]
    out += wrap("next", "loadput check --design skip-iii; loadput explain SOUT-AT-LOAD")
    return "\n".join(out) + "\n"


def comparison_json(c: Comparison) -> dict[str, Any]:
    """The comparison as docs/json.md describes it."""
    return {
        "schema": SCHEMA,
        "release": c.release,
        "interrupted": [{"design": d, "arch": a} for d, a in c.left],
        "rows": [
            {
                "design": r.design,
                "arch": r.arch,
                "verdict": r.result.verdict,
                "states": r.result.states,
                "transitions": r.result.transitions,
                "depth": r.result.depth,
                "property": r.result.violated[0] if r.result.violated else None,
                "functions": r.functions,
                "learns_at_load": r.at_load,
                "learns_at_put": r.at_put,
                "order_matters": r.order or None,
                "same_program": r.result.exploration.title or None,
                "program": program_result(r.result),
            }
            for r in c.rows
        ],
    }
