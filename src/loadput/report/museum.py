"""The museum as plain text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..check.museum import PUBLISHED, Entry, Shown
from ..check.verdict import HOLDS
from .json import SCHEMA, program_result
from .text import edge, number, render_findings, wrap


def cited(e: Entry) -> str:
    """The commits, the subject, where the fix appeared, and what of it is unconfirmed."""
    told = f'{", ".join(e.commits)} ("{e.subject}"), {e.released}'
    return told + (f"; unconfirmed: {e.unconfirmed}" if e.unconfirmed else "")


def render_table(shown: Sequence[Shown], missing: Mapping[str, str], command: str) -> str:
    """A row for each entry, its commit and how it was found below; what is not shown; the sum."""
    out = [f"{'entry':26s}{'arch':8s}{'steps':>6s}{'states':>12s}{'fixed':>12s}{'s':>7s}"]
    for s in shown:
        p = s.finding
        depth = str(p.depth) if p else "none"
        fixed = number(s.after.states) if s.after.verdict == HOLDS else s.after.verdict
        seconds = s.before.seconds + s.after.seconds
        out.append(
            f"{s.entry.id:26s}{s.entry.arch:8s}{depth:>6s}{number(s.before.states):>12s}"
            f"{fixed:>12s}{seconds:7.1f}"
        )
        out += wrap("", cited(s.entry))
        found = f"{s.entry.property}: {s.way}" if p else f"{s.entry.property} is not violated"
        out += [*wrap("", found), ""]
    for name, why in missing.items():
        out += wrap("not shown", f"{name}: {why}")
    out += [""] if missing else []
    right = sum(s.finding is not None for s in shown)
    holds = sum(s.after.verdict == HOLDS for s in shown)
    total = len(shown) + len(missing)
    out += wrap("museum", f"{right} of {total} found, {holds} of {total} hold with their fix")
    out += edge(shown[0].before) if shown else []
    return "\n".join([*out, *wrap("again", command)]) + "\n"


def render_entry(s: Shown, difference: str) -> str:
    """One entry: what was wrong, the difference, the shortest counterexample."""
    e, p = s.entry, s.finding
    out = [*wrap("entry", e.id), *wrap("fixed by", cited(e)), *wrap("wrong", e.wrong)]
    out += [*wrap("fix", e.fix), ""]
    for title, r in (("before", s.before), ("after", s.after)):
        seen = f"{r.verdict}: {number(r.states)} states, depth {r.depth}"
        out += wrap(title, f"{seen}; {r.program}, scenario {r.scenario.name}")
    out += ["", difference.rstrip("\n"), ""]
    if p is None:
        out += wrap("not found", f"{e.property} is not violated")
    else:
        out += wrap("violated", f"{p.name}  {p.depth} steps, {s.way}")
        out += render_findings(s.before, [p])
        others = [n for n in s.before.violated if n != p.name]
        out += ["", *wrap("also violated", ", ".join(others))] if others else []
    return "\n".join([*out, "", *edge(s.before)]) + "\n"


def museum_json(shown: Sequence[Shown], missing: Mapping[str, str]) -> dict[str, Any]:
    """The same as JSON."""
    rows = []
    for s in shown:
        e, p = s.entry, s.finding
        rows.append(
            {
                "id": e.id,
                "arch": e.arch,
                "scenario": e.scenario,
                "property": e.property,
                "commits": list(e.commits),
                "subject": e.subject,
                "released": e.released,
                "unconfirmed": e.unconfirmed,
                "found": p is not None,
                "steps": p.depth if p else None,
                "published": s.way == PUBLISHED if p else None,
                "holds_with_fix": s.after.verdict == HOLDS,
                "wrong": e.wrong,
                "fix": e.fix,
                "before": program_result(s.before),
                "after": program_result(s.after),
            }
        )
    return {"schema": SCHEMA, "entries": rows, "not_shown": dict(missing)}
