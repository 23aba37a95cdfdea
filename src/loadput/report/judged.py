"""A user's C judged, as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..check.equiv import DIFFERENT, EQUAL, EQUIVALENT, Equivalence
from ..check.judge import Base, Judgement
from ..check.verdict import UNDECIDED, VIOLATED
from ..lang.inputs import Patch
from ..lang.syntax import Def
from ..link.program import Choice
from .text import number, render_findings, render_races, violations, wrap

RELATION = {
    EQUAL: "the same as the base's",
    EQUIVALENT: "equivalent to the base's",
    DIFFERENT: "differs from the base's",
}


def render_head(patches: Sequence[Patch], base: Base, fields: Sequence[str]) -> str:
    """What was found in the input, and the tree it is laid over."""
    out = []
    for p in patches:
        out += wrap("input", f"{p.kind}: {p.title}")
        for found in p.functions:
            out += wrap("", f"{found.name}, line {found.lines[0].number}")
        for n in p.notes:
            out += wrap("", n)
    for f in fields:
        out += wrap("inferred", f)
    out += wrap("base", f"{base.release}: {base.why}")
    return "\n".join(out) + "\n"


def render_judgement(j: Judgement, *, verbose: bool = False) -> str:
    """One patch on one architecture: equivalence, verdicts with blame, new counterexamples."""
    r = j.result
    out = ["", f"{j.arch}: {j.patch}"[:72]]
    for e in j.equivalences:
        said = f"{e.function}: {RELATION.get(e.verdict, e.verdict)}"
        if e.verdict == EQUIVALENT:
            said += f" ({e.runs} inputs run through both)"
        if any(e.where):
            said += f"; base: {e.where[0]}; here: {e.where[1]}"
        out += wrap("", said)
    for name in j.unused:
        out += wrap("", f"{name}: nothing calls it here")
    seen = f"{number(r.states)} states, base {number(j.base.states)}"
    out += wrap("explored", seen + (f"; stopped by {r.stopped_by}" if r.stopped_by else ""))
    for p in sorted(r.properties, key=lambda p: (p.depth or 0, p.name)):
        if p.verdict == VIOLATED:
            out += wrap("violated", f"{p.name}, {p.depth} steps: {p.blame}")
    fixed = [p.name for p in r.properties if p.blame == "fixed by it"]
    if fixed:
        out += wrap("fixed", ", ".join(fixed))
    held = sum(p.verdict == "holds" for p in r.properties)
    out += wrap("holds", f"{held} of {sum(p.verdict != 'not applicable' for p in r.properties)}")
    open_ = [p.name for p in r.properties if p.verdict == UNDECIDED]
    if open_:
        out += wrap("not decided", ", ".join(open_))
    out += render_races(r, verbose=verbose)
    told = [p for p in violations(r) if verbose or p.blame.startswith("new")]
    out += render_findings(r, told, verbose=verbose)
    return "\n".join(line.rstrip() for line in out) + "\n"


def render_tree(
    tree: Path,
    choice: Choice,
    answers: Sequence[Equivalence],
    defs: dict[str, Def],
    reasons: dict[str, str],
    *,
    verbose: bool = False,
) -> str:
    """Each function of a kernel tree against the specification's."""
    out = wrap("tree", f"{tree.name} against {choice.release} on {choice.arch}")
    for verdict in (EQUAL, EQUIVALENT):
        same = [e.function for e in answers if e.verdict == verdict]
        if same:
            out += wrap(verdict, f"{len(same)}: " + ", ".join(same))
    for e in answers:
        if e.verdict not in (EQUAL, EQUIVALENT):
            out += wrap(e.verdict, f"{e.function}: ours: {e.where[0]}; tree: {e.where[1]}")
    for name, why in sorted(reasons.items()) if verbose else []:
        out += wrap("ours kept", f"{name}: {why}")
    if reasons and not verbose:
        out += wrap("ours kept", f"{len(reasons)} functions; -v tells why for each")
    return "\n".join(out) + "\n"
