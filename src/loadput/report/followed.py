"""A kernel tree held against the specification, function by function, as plain text and JSON."""

from __future__ import annotations

from typing import Any

from ..check.equiv import Equivalence
from ..check.follow import CHANGED, GONE, IN_STEP, MOVED, NOT_TAKEN, UNKNOWN, Followed, Followup
from .text import WIDTH, wrap

FEW = 3


def render_followup(f: Followup, *, verbose: bool = False) -> str:
    """What is in step, what is not and by what, what is not taken."""
    by: dict[str, list[Followed]] = {}
    for row in f.functions:
        by.setdefault(row.status, []).append(row)
    out = wrap("tree", f"{f.tree} against {f.release} on {f.arch}")
    if f.newer:
        out += wrap("newer", f.newer)
    taken = len(f.functions) - len(by.get(NOT_TAKEN, ()))
    out += wrap(IN_STEP, f"{len(by.get(IN_STEP, ()))} of {taken} that the specification mirrors")
    if rows := by.get(MOVED):
        told = ", ".join(f"{r.name} ({r.path})" for r in rows)
        out += wrap(MOVED, f"{len(rows)}, otherwise in step: {told}")
    if rows := by.get(CHANGED):
        out += _changed(rows, f.release, verbose=verbose)
    for status, what in ((GONE, "not in this tree"), (UNKNOWN, "mirrored, and never taken")):
        if rows := by.get(status):
            out += wrap(status, f"{len(rows)}, {what}: {', '.join(r.name for r in rows)}")
    if rows := by.get(NOT_TAKEN):
        told = f": {', '.join(r.name for r in rows)}" if verbose else "; -v names them"
        out += wrap(NOT_TAKEN, f"{len(rows)}, not one function of C{told}")
    out += wrap("ours", f"{len(f.own)} functions mirror none; they model the machine")
    return "\n".join(out) + "\n"


def _changed(rows: list[Followed], release: str, *, verbose: bool) -> list[str]:
    """What changed: first what ours says and the tree does not any more."""
    well = [r for r in rows if r.carries]
    out = wrap(CHANGED, f"{len(rows)}")
    for since in sorted({r.since for r in rows} - {release}):
        n = sum(r.since == since for r in rows)
        out += wrap("", f"{n} of them since {since}, not read as of {release}")
    if well:
        names = ", ".join(r.name for r in well)
        out += wrap("", f"{len(well)} still have a part for every statement of ours: {names}")
    for r in rows:
        if not r.carries or verbose:
            out += _one(r, len(r.without) if verbose else FEW)
    return out


def _one(r: Followed, most: int) -> list[str]:
    out = [f"  {r.name}, {r.path}"[:WIDTH]]
    out += [f"    - {text}"[:WIDTH] for text in r.without[:most]]
    assert r.drift is not None
    more = max(most, FEW)
    out += [f"    + {' '.join(text.split())}"[:WIDTH] for text in r.drift.new[:more]]
    left = len(r.drift.new) - more
    if left > 0 or r.drift.gone:
        told = f"{left} more are new, " if left > 0 else ""
        out.append(f"    {told}{r.drift.gone} of the old are gone")
    return out


def render_second(answers: list[Equivalence]) -> str:
    """The differential run as a second opinion: how many inputs differ in effect."""
    out = [""]
    for e in sorted(answers, key=lambda e: (e.verdict, e.function)):
        told = f"{e.function}: {e.verdict}"
        if e.runs:
            told += f", {e.differ} of {e.runs} inputs differ in effect"
        if any(e.where):
            told += f"; ours: {e.where[0]}; tree: {e.where[1]}"
        out += wrap("second", told)
    return "\n".join(out) + "\n"


def followup(f: Followup) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "arch": f.arch,
        "release": f.release,
        "newer": f.newer,
        "in_step": f.is_in_step,
        "functions": [
            {
                "name": r.name,
                "status": r.status,
                "path": r.path,
                "since": r.since,
                "ours": list(r.ours),
                "without": r.without,
                "new": r.drift.new if r.drift else [],
                "gone": r.drift.gone if r.drift else 0,
            }
            for r in f.functions
        ],
        "own": f.own,
    }
