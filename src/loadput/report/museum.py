"""The museum as plain text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..check.museum import PUBLISHED, Between, Entry, Shown
from ..check.verdict import PropertyResult, Result
from .json import SCHEMA, program_result
from .text import edge, number, render_findings, wrap


def cited(e: Entry) -> str:
    """The commits, the subject, where the fix appeared, and what of it is unconfirmed."""
    told = f'{", ".join(e.commits)} ("{e.subject}"), {e.released}'.strip()
    return told + (f"; unconfirmed: {e.unconfirmed}" if e.unconfirmed else "")


def render_table(shown: Sequence[Shown], missing: Mapping[str, str], command: str) -> str:
    """A row for each entry, its commit and how it was found below; what is not shown; the sum."""
    out = [f"{'entry':27s}{'arch':11s}{'steps':>5s}{'states':>11s}{'fixed':>11s}{'s':>7s}"]
    for s in shown:
        p = s.finding
        out.append(_row(s.entry.id, s.entry.arch, p, s.before, s.after))
        out += wrap("", cited(s.entry))
        found = f"{s.entry.property}: {s.way}" if p else f"{s.entry.property} is not violated"
        out += wrap("", found)
        for b in s.between:
            out.append(_row(f"  {b.state.overlay}", "", b.finding, b.result, b.after))
            out += wrap("", f"between: {b.state.told} {_as_expected(b)}")
        out.append("")
    for name, why in missing.items():
        out += wrap("not shown", f"{name}: {why}")
    out += [""] if missing else []
    right = sum(s.finding is not None for s in shown)
    holds = sum(s.is_clean(s.after) for s in shown)
    total = len(shown) + len(missing)
    out += wrap("museum", f"{right} of {total} found, {holds} of {total} hold with their fix")
    out += edge(shown[0].before) if shown else []
    return "\n".join([*out, *wrap("again", command)]) + "\n"


def _row(name: str, arch: str, p: PropertyResult | None, before: Result, after: Result) -> str:
    depth = str(p.depth) if p else "none"
    fixed = number(after.states)
    seconds = before.seconds + after.seconds
    return f"{name:27s}{arch:11s}{depth:>5s}{number(before.states):>11s}{fixed:>11s}{seconds:7.1f}"


def _as_expected(b: Between) -> str:
    s = b.state
    found = f"{s.property} {b.result.find(s.property).verdict}"
    return f"{found}, as expected." if b.is_right else f"{found}, expected: {s.verdict}."


def render_entry(s: Shown, difference: str, between: Sequence[str] = ()) -> str:
    """One entry: what was wrong, the difference, the shortest counterexample.

    :param between: the difference of each intermediate state
    """
    e, p = s.entry, s.finding
    out = [*wrap("entry", e.id), *wrap("fixed by", cited(e)), *wrap("wrong", e.wrong)]
    out += [*wrap("fix", e.fix), ""]
    for title, r in (("before", s.before), ("after", s.after)):
        out += wrap(title, _decided(r))
    out += ["", difference.rstrip("\n"), ""]
    if p is None:
        out += wrap("not found", f"{e.property} is not violated")
    else:
        out += wrap("violated", f"{p.name}  {p.depth} steps, {s.way}")
        out += render_findings(s.before, [p])
        others = [n for n in s.before.violated if n != p.name]
        out += ["", *wrap("also violated", ", ".join(others))] if others else []
    for b, differs in zip(s.between, between, strict=True):
        out += ["", *wrap("between", f"{b.state.told} {_as_expected(b)}")]
        out += [*wrap("it", _decided(b.result)), *wrap("after", _decided(b.after))]
        out += ["", differs.rstrip("\n")]
        if b.finding:
            out += ["", *wrap("violated", f"{b.finding.name}  {b.finding.depth} steps")]
            out += render_findings(b.result, [b.finding])
    return "\n".join([*out, "", *edge(s.before)]) + "\n"


def _decided(r: Result) -> str:
    seen = f"{r.verdict}: {number(r.states)} states, depth {r.depth}"
    return f"{seen}; {r.program}, scenario {r.scenario.name}"


def museum_json(shown: Sequence[Shown], missing: Mapping[str, str]) -> dict[str, Any]:
    """The same as JSON."""
    rows = []
    for s in shown:
        e, p = s.entry, s.finding
        rows.append(
            {
                "id": e.id,
                "arch": e.arch,
                "scenario": s.before.scenario.name,
                "property": e.property,
                "commits": list(e.commits),
                "subject": e.subject,
                "released": e.released,
                "unconfirmed": e.unconfirmed,
                "found": p is not None,
                "steps": p.depth if p else None,
                "published": s.way == PUBLISHED if p else None,
                "holds_with_fix": s.is_clean(s.after),
                "wrong": e.wrong,
                "fix": e.fix,
                "before": program_result(s.before),
                "after": program_result(s.after),
                "intermediate": [_state_json(b) for b in s.between],
            }
        )
    return {"schema": SCHEMA, "entries": rows, "not_shown": dict(missing)}


def _state_json(b: Between) -> dict[str, Any]:
    s = b.state
    return {
        "overlay": s.overlay,
        "told": s.told,
        "scenario": b.result.scenario.name,
        "property": s.property,
        "expected": s.verdict,
        "as_expected": b.is_right,
        "steps": b.finding.depth if b.finding else None,
        "program": program_result(b.result),
        "after": program_result(b.after),
    }
