"""How far a kernel tree has gone from what is mirrored, as plain text and JSON."""

from __future__ import annotations

from typing import Any

from ..check.drift import BESIDE, DECIDES, FUNCTION, Drifted, TreeDrift
from ..check.follow import GONE, IN_STEP, MOVED, UNKNOWN
from .json import SCHEMA
from .text import WIDTH, wrap

FEW = 3
_KINDS = {FUNCTION: "functions", "struct": "fields", "const": "constants"}


def render_drift(d: TreeDrift, *, verbose: bool = False) -> str:
    """What changed, by what it could decide; what moved; what is gone; what the answer rests on."""
    by: dict[str, list[Drifted]] = {}
    for row in d.rows:
        by.setdefault(row.status, []).append(row)
    out = wrap("tree", d.tree)
    for release, source in d.sources.items():
        archs = [a for a, r in d.releases.items() if r == release]
        told = f", as {source} has it" if source else ", of which nothing was taken"
        out += wrap("against", f"{release}{told}: {', '.join(archs)}")
    if d.newer:
        out += wrap("newer", d.newer)
    for release in d.taken_here:
        told = f"the fingerprints of {release} were taken from this very tree"
        out += wrap("note", f"{told}: that it is in step says no more than that")
    if d.left_out:
        out += wrap("left out", f"{', '.join(d.left_out)}: the release is not written for them")
    out += wrap(IN_STEP, f"{_count(by.get(IN_STEP, []))} of {_count(d.rows)}")
    out += _listed(d, "decides", "changed, and may decide", by.get(DECIDES, []), verbose=verbose)
    out += _listed(
        d, "beside", "changed beside what is modelled", by.get(BESIDE, []), verbose=verbose
    )
    if rows := by.get(UNKNOWN):
        out += wrap("unknown", f"{_count(rows)} mirrored, never taken: nothing can be said")
        out += [line for r in rows for line in _row(r)]
    if rows := by.get(MOVED):
        out += wrap(MOVED, f"{_count(rows)}, otherwise as they were; -v names them")
        out += [line for r in rows for line in _row(r)] if verbose else []
    if rows := by.get(GONE):
        out += wrap(GONE, f"{_count(rows)}, neither where they were nor beside it")
        out += _gone(rows, d.lost_files, verbose=verbose)
    changed = any(by.get(s) for s in (DECIDES, BESIDE))
    out += wrap("verdict", _verdict(d, changed=changed))
    return "\n".join(out) + "\n"


def _verdict(d: TreeDrift, *, changed: bool) -> str:
    if not d.exit_code:
        return "none changed"
    return "drifted: " + ("read what changed" if changed else "some are gone or were never taken")


def _count(rows: list[Drifted]) -> str:
    """As ``3 functions, 2 fields``."""
    n = {kind: sum(r.kind == kind for r in rows) for kind in _KINDS}
    said = [f"{k} {_KINDS[kind][: -1 if k == 1 else None]}" for kind, k in n.items() if k]
    return ", ".join(said) or "0"


def _listed(
    d: TreeDrift, label: str, what: str, rows: list[Drifted], *, verbose: bool
) -> list[str]:
    if not rows:
        return []
    out = wrap(label, f"{_count(rows)} {what}")
    for since in sorted({r.since for r in rows} - set(d.releases.values())):
        n = sum(r.since == since for r in rows)
        out += wrap("", f"{n} of them since {since}: not read as of a later release")
    for r in rows:
        out += _row(r)
        out += [f"    as read: {r.path} {r.name} {r.text}"] if verbose else []
        most = None if verbose else FEW
        out += [f"    - {text}"[:WIDTH] for text in r.without[:most]]
        if r.change is not None:
            new = r.change.new
            out += [f"    + {' '.join(text.split())}"[:WIDTH] for text in new[:most]]
            left = 0 if verbose else max(0, len(new) - FEW)
            if left or r.change.gone:
                told = f"{left} more are new, " if left else ""
                out.append(f"    {told}{r.change.gone} of the old are gone")
            elif not new:
                out.append("    the order, or what cannot be read")
    return out


def _gone(rows: list[Drifted], lost: list[str], *, verbose: bool) -> list[str]:
    """Each by name, but for those of a file that the tree has not."""
    near = [r for r in rows if verbose or r.path not in lost]
    out = [line for r in near for line in _row(r)]
    if far := [r for r in rows if r not in near]:
        files = len({r.path for r in far})
        told = "a file" if files == 1 else f"{files} files"
        first, *rest = wrap("", f"{_count(far)} of {told} that the tree has not; -v names them")
        out += [f"  {first.strip()}", *(f"      {line.strip()}" for line in rest)]
    return out


def _row(r: Drifted) -> list[str]:
    moved = f", was {r.was}" if r.was != r.path else ""
    text = f"{r.name}, {r.path}{moved} ({', '.join(r.archs)})"
    first, *rest = wrap("", text)
    return [f"  {first.strip()}", *(f"      {line.strip()}" for line in rest)]


def drift_json(d: TreeDrift) -> dict[str, Any]:
    """The same as JSON; docs/json.md."""
    return {
        "schema": SCHEMA,
        "tree": d.tree,
        "newer": d.newer,
        "drifted": bool(d.exit_code),
        "releases": d.releases,
        "sources": d.sources,
        "taken_here": d.taken_here,
        "left_out": d.left_out,
        "lost_files": d.lost_files,
        "things": [
            {
                "kind": r.kind,
                "name": r.name,
                "status": r.status,
                "since": r.since,
                "path": r.path,
                "was": r.was,
                "text": r.text,
                "archs": r.archs,
                "ours": r.ours,
                "without": r.without,
                "new": r.change.new if r.change else [],
                "gone": r.change.gone if r.change else 0,
            }
            for r in d.rows
        ],
    }
