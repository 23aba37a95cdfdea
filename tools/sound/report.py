"""The tables of a run, and where they stand in docs/reductions.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import edits
from .compare import PLAIN, WAYS
from .run import Done

KINDS = {
    **edits.KINDS,
    "twin": "over a twin",
    "museum": "over an entry of the museum",
}
OTHERS = [w for w in WAYS if w != PLAIN]


def tables(done: Sequence[Done], command: str) -> str:
    """Two tables as Markdown: by way, and by what was done to the programs."""
    rows = [d for d in done if not d.row.error]
    whole = [d for d in rows if d.row.answers[PLAIN].whole]
    found = sum(bool(d.row.disagree) for d in rows)
    violated = sum(bool(d.row.answers[PLAIN].violated) for d in whole)
    out = [
        f"`{command}`: {len(rows):,} programs, "
        f"{len({d.case.arch for d in rows})} architectures; {len(whole):,} of them decided without "
        f"fusing, reductions and forgetting, {violated:,} of these with a violation; "
        f"{len(rows) - len(whole):,} have too many states for that and are not compared; "
        f"{found:,} disagreements.",
        "",
        *_states(whole),
        "",
        "| way | what it is | compared | disagree |",
        "|---|---|---:|---:|",
    ]
    for way in OTHERS:
        n = sum(d.row.compared(way) for d in rows)
        bad = sum(any(w.split()[0] == way for w in d.row.disagree) for d in rows)
        out.append(f"| {way} | {WAYS[way]} | {n:,} | {bad:,} |")
    kinds = [k for k in KINDS if any(k in d.case.kinds for d in rows)]
    if kinds:
        out += ["", "| kind | what was done | programs | compared | disagree |"]
        out += ["|---|---|---:|---:|---:|"]
        for kind in kinds:
            mine = [d for d in rows if kind in d.case.kinds]
            n = sum(d.row.compared("default") for d in mine)
            bad = sum(bool(d.row.disagree) for d in mine)
            out.append(f"| {kind} | {KINDS[kind]} | {len(mine):,} | {n:,} | {bad:,} |")
    return "\n".join(out) + "\n"


def _states(whole: Iterable[Done]) -> list[str]:
    sizes = sorted(d.row.states for d in whole)
    if not sizes:
        return []
    half, most = sizes[len(sizes) // 2], sizes[-1]
    return [
        f"Unfused they have {sum(sizes):,} states together, at the median {half:,}, "
        f"at most {most:,}."
    ]


def put(page: Path, name: str, text: str) -> None:
    """Put ``text`` between the two markers ``name`` of ``page``."""
    begin, end = f"<!-- soundness {name} -->", f"<!-- end of soundness {name} -->"
    old = page.read_text("utf-8")
    at = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if not at.search(old):
        raise SystemExit(f"{page} has no {begin} … {end}")
    page.write_text(at.sub(lambda _: f"{begin}\n{text}{end}", old), "utf-8")
