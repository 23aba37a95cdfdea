"""A user's C judged, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..base.errors import LoadputError
from ..check.basis import Base
from ..check.equiv import DIFFERENT, EQUAL, EQUIVALENT, Equivalence
from ..check.judge import Judgement
from ..check.scope import not_modelled, scope_of
from ..check.taken import Taken, twice
from ..check.verdict import UNDECIDED, VIOLATED
from ..lang.inputs import Patch
from ..lang.syntax import Def
from ..link.program import Choice
from .text import EDGE, WIDTH, number, render_findings, render_races, violations, wrap

OPAQUE = "; opaque calls change nothing that is modelled and do not sleep"
RELATION = {
    EQUAL: "the same as the base's",
    EQUIVALENT: "equivalent to the base's",
    DIFFERENT: "differs from the base's",
}


def render_head(patches: Sequence[Patch], base: Base) -> str:
    """What was found in the input, and the tree it is laid over."""
    out = []
    for p in patches:
        out += wrap("input", f"{p.kind}: {p.title}")
        for where, names in _by_place(p).items():
            out += wrap("", f"{where}: {', '.join(names)}" if where else ", ".join(names))
        if p.removed:
            out += wrap("", "removed: " + _names(f.name for f in p.removed))
        others = not_modelled((*p.functions, *p.removed))
        if others:
            what = _names(n for names in others.values() for n in names)
            out += wrap("", f"not modelled here: {', '.join(others)} ({what})")
        for n in (*twice(p), *p.notes):
            if p.kind not in ("mbox patch", "diff") or not n.startswith("signature "):
                out += wrap("", n)
    for f in base.fields:
        out += wrap("inferred", f)
    out += wrap("base", f"{base.release}: {base.why}")
    return "\n".join(out) + "\n"


def _by_place(p: Patch) -> dict[str, list[str]]:
    """Functions with their lines, by the file that they belong to."""
    out: dict[str, list[str]] = {}
    for f in p.functions:
        if scope_of(f).why:
            continue
        out.setdefault(f.path, []).append(f"{f.name} (line {f.lines[0].number})")
    if list(out) == [""]:
        return {"": out[""]}
    return out


def _names(names: Iterable[str], most: int = 6) -> str:
    """The names, each once; only ``most`` of them."""
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def render_failure(arch: str, title: str, e: LoadputError) -> str:
    """Why one architecture, or one patch on it, has no verdict."""
    out = ["", f"{arch}: {title}"[:WIDTH] if title else arch]
    out += wrap("no verdict", f"{e.what} [{e.code}]")
    if e.span is not None:
        out += wrap("", str(e.span))
    for name in ("got", "expected", "next"):
        if value := getattr(e, name):
            out += wrap(name, value)
    return "\n".join(line.rstrip() for line in out) + "\n"


def render_idle(arch: str, t: Taken) -> str:
    """A patch that has nothing for an architecture."""
    out = ["", f"{arch}: {t.patch.title}"[:WIDTH], *wrap("", "changes nothing here")]
    for n in t.notes:
        out += wrap("", n)
    return "\n".join(line.rstrip() for line in out) + "\n"


def render_judgement(j: Judgement, *, verbose: bool = False) -> str:
    """One patch on one architecture: equivalence, verdicts with blame, new counterexamples."""
    r = j.result
    out = ["", f"{j.arch}: {j.patch}"[:WIDTH], *_functions(j)]
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
    out += _rests_on(j, verbose=verbose)
    told = [p for p in violations(r) if verbose or p.blame.startswith("new")]
    out += render_findings(r, told, verbose=verbose)
    return "\n".join(line.rstrip() for line in out) + "\n"


def _functions(j: Judgement) -> list[str]:
    """What became of each function."""
    out: list[str] = []
    for e in j.equivalences:
        said = f"{e.function}: {RELATION.get(e.verdict, e.verdict)}"
        if e.verdict == EQUIVALENT:
            said += f" ({e.runs} inputs run through both)"
        elif e.verdict == "not decided":
            said = f"{e.function}: changed; {e.runs} inputs do not decide whether it does the same"
        if any(e.where):
            said += f"; base: {e.where[0]}; here: {e.where[1]}"
        out += wrap("", said)
    for name in j.added:
        out += wrap("", f"{name}: new; the base does not have it")
    for name in j.unused:
        out += wrap("", f"{name}: nothing calls it here")
    for name in j.removed:
        out += wrap("", f"{name}: removed")
    for n in j.notes:
        out += wrap("", n)
    return out


SAID = {
    "opaque read": "any value",
    "dropped store": "not stored",
    "dropped call": "not called",
    "opaque address": "unchanged by",
}


def _rests_on(j: Judgement, *, verbose: bool) -> list[str]:
    """What the verdict takes for granted about the C: opaque calls, values, configuration."""
    r = j.result
    most = 1000 if verbose else 6
    out: list[str] = []
    if r.opaque_calls:
        calls = _names(sorted(r.opaque_calls), most)
        out += wrap("opaque calls", f"{len(r.opaque_calls)}, no effect, any result: {calls}")
    notes = r.machine.program.notes
    for kind, label in SAID.items():
        what = sorted({n.what for n in notes if n.kind == kind})
        if what:
            out += wrap(label, _names(what, most))
    if r.inferred_fields:
        out += wrap("inferred", ", ".join(r.inferred_fields))
    if j.assumed:
        out += wrap("assumed", ", ".join(j.assumed))
    return out


def render_summary(
    judged: Sequence[Judgement],
    failed: Sequence[tuple[str, str, LoadputError]],
    idle: Sequence[tuple[str, str]],
    command: str,
) -> str:
    """What a reader in a hurry wants to know, what is not covered, and the command again."""
    out = [""]
    for blame in ("new with this change", "not decided before", "fixed by it", "present before"):
        rows: dict[str, list[str]] = {}
        for j in judged:
            for p in j.result.properties:
                if p.blame == blame:
                    rows.setdefault(p.name, []).append(j.arch)
        said = "; ".join(f"{n} ({', '.join(dict.fromkeys(a))})" for n, a in sorted(rows.items()))
        if said or blame.startswith("new"):
            label = "new" if blame.startswith("new") else blame
            out += wrap(label, said or ("no violation" if judged else "nothing was judged"))
    open_ = {j.arch for j in judged for p in j.result.properties if p.verdict == UNDECIDED}
    if open_:
        out += wrap("not decided", f"some properties on {', '.join(sorted(open_))}")
    if failed:
        archs = [a for a, _, _ in failed]
        told = (a if archs.count(a) == 1 else f"{a} ({archs.count(a)} patches)" for a in archs)
        out += wrap("no verdict", _names(told))
    if judged:
        out += wrap(
            "not covered", EDGE + (OPAQUE if any(j.result.opaque_calls for j in judged) else "")
        )
    return "\n".join([*out, *wrap("again", command)]) + "\n"


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
