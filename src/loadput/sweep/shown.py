"""A sweep as text, as JSON, as a page; computes nothing."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

from ..report.text import wrap
from .plan import AXES
from .sweep import Done
from .work import Row

SCHEMA = 1
STYLE = (
    "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{text-align:left;padding:2px 10px;border-bottom:1px solid #ccc}"
    ".violated,.diverges{background:#fcc}.holds,.conforms{background:#dfd}"
)


def sweep_json(d: Done) -> dict[str, Any]:
    """As docs/json.md describes it."""
    return {
        "schema": SCHEMA,
        "jobs": [
            {"verb": j.verb, "name": dict(j.name), **r} for j, r in zip(d.jobs, d.rows, strict=True)
        ],
    }


def _axes(d: Done) -> list[str]:
    """What tells the jobs apart, in order; the first of all where nothing does."""
    names = list(dict.fromkeys(k for j in d.jobs for k, _ in j.name))
    several = [n for n in names if len({dict(j.name).get(n) for j in d.jobs}) > 1]
    return several or names[:1]


def _said(r: Row) -> str:
    """What is violated, and what ended it."""
    bad = ", ".join(
        f"{v['property']} {v['depth']}" + (f" ({v['blame']})" if v.get("blame") else "")
        for v in r["violated"]
    )
    counts = ", ".join(f"{n:,} {k}" for k, n in r["counts"].items() if k not in ("depth",))
    return "; ".join(x for x in (bad, r["why"], "" if r["states"] else counts) if x)


def _table(d: Done) -> list[list[str]]:
    axes = _axes(d)
    rows = [[*axes, "verdict", "states", ""]]
    for j, r in zip(d.jobs, d.rows, strict=True):
        name = dict(j.name)
        states = f"{r['states']:,}" if r["states"] else ""
        rows.append([*(name.get(a) or "-" for a in axes), r["verdict"], states, _said(r)])
    return rows


def render_sweep(d: Done, command: str = "") -> str:
    """One line a job, then how many came to what."""
    rows = _table(d)
    wide = [max(len(r[i]) for r in rows) for i in range(len(rows[0]) - 1)]
    out = []
    for r in rows:
        *first, states, said = r
        cells = [c.ljust(w) for c, w in zip(first, wide, strict=False)]
        out.append("  ".join([*cells, states.rjust(wide[-1]), said]).rstrip())
    many = Counter(r["verdict"] for r in d.rows)
    told = ", ".join(f"{n} {v}" for v, n in sorted(many.items()))
    fixed = {k: v for k, v in d.jobs[0].name if k in AXES and k not in _axes(d)}
    same = ", ".join(f"{k} {v}" for k, v in fixed.items() if v)
    out += ["", *wrap("jobs", f"{len(d.rows)}: {told}"), *(wrap("each", same) if same else [])]
    return "\n".join([*out, *(wrap("again", command) if command else [])]) + "\n"


def render_page(d: Done, title: str) -> str:
    """A page that needs nothing else."""
    head, *rows = _table(d)
    body = "".join(
        f"<tr class='{escape(r['verdict'].split()[0])}'>"
        + "".join(f"<td>{escape(c)}</td>" for c in cells)
        + "</tr>\n"
        for cells, r in zip(rows, d.rows, strict=True)
    )
    top = "".join(f"<th>{escape(c)}</th>" for c in head)
    return (
        f"<!doctype html>\n<meta charset='utf-8'>\n<title>{escape(title)}</title>\n"
        f"<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n"
        f"<table>\n<tr>{top}</tr>\n{body}</table>\n"
    )
