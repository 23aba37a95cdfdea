"""A user's C judged, as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..base.errors import LoadputError
from ..check.carried import ABSENT, FunctionChange, count
from ..check.equiv import DIFFERENT, EQUAL, EQUIVALENT
from ..check.judge import (
    MINDS_NOT,
    NEW,
    NOT_JUDGED,
    OPEN,
    ORDER,
    SAME,
    TIME,
    Explored,
    Judgement,
)
from ..check.judging import NO_CODE, Judging
from ..check.scope import not_modelled, scope_of
from ..check.taken import Taken, twice
from ..check.verdict import (
    BLAME_FIXED,
    BLAME_LESS,
    BLAME_NEW,
    BLAME_OLD,
    BLAME_OPEN,
    BLAME_RESTS,
    BLAME_UNASKED,
    HOLDS,
    UNDECIDED,
    VIOLATED,
    Result,
)
from ..lang.inputs import Patch
from ..machine.tso import SC
from .text import WIDTH, edge_of, number, render_findings, render_races, violations, wrap

OPAQUE = "; opaque calls change nothing that is modelled and do not sleep"
THERE = "the specification has it already"
RELATION = {
    EQUAL: "the same as the base's",
    EQUIVALENT: "equivalent to the base's",
    DIFFERENT: "differs from the base's",
}


def render_judging(done: Judging, command: str, *, verbose: bool = False) -> str:
    """The whole report: the answer first, then what was given and what became of each part."""
    out = [*_answer(done), *_given(done)]
    for part in done.parts:
        for row in part.rows:
            if isinstance(row, Judgement):
                out += _judgement(row, verbose=verbose)
            elif isinstance(row, tuple):
                out += _failure(part.arch, *row)
            else:
                out += _idle(part.arch, row)
    out += ["", *_summary(done), *(wrap("again", command) if command else [])]
    return "\n".join(line.rstrip() for line in out) + "\n"


def render_commit(
    sha: str, subject: str, done: Judging | None, error: LoadputError | None, *, verbose: bool
) -> str:
    """A commit in a line or two; with ``verbose``, or a finding, its report below."""
    if done is None:
        what = f"no verdict: {error.what} [{error.code}]" if error else "changes no file"
        return "\n".join([f"{sha[:12]} {subject}"[:WIDTH], *wrap("", what)]) + "\n"
    head = [f"{sha[:12]} {subject}"[:WIDTH], *wrap("", _sentence(done))]
    text = "\n".join(head) + "\n"
    if verbose or done.exit_code == 1:
        text += "\n" + render_judging(done, "", verbose=verbose) + "\n"
    return text


def _answer(done: Judging) -> list[str]:
    """The verdict in one line, and how much of the input it is about."""
    judged = done.judged
    if not judged:
        told = (
            done.verdict
            if done.verdict == NO_CODE
            else "NOT JUDGED: no body of a function changes here"
        )
        return wrap("verdict", told if not done.failed else "none: see below")
    parts = [count(j.changes) for j in judged]
    most = max(parts, key=lambda c: (c[2], c[0]))
    said = wrap("verdict", _sentence(done))
    if most[3]:
        told = f"{most[0]} of {most[1]} changed functions, {most[2]} of {most[3]} edits"
        if len(set(parts)) > 1:
            told += " (where most are)"
        said += wrap("judged", told)
    return said


def _sentence(done: Judging) -> str:
    if done.verdict == NO_CODE:
        return NO_CODE
    new = _by_blame(done, BLAME_NEW)
    if done.verdict == NEW:
        return "NEW VIOLATION: " + new
    if done.verdict == OPEN:
        return "not decided: " + _why_open(done)
    if done.verdict == NOT_JUDGED:
        return "NOT JUDGED: " + (_outside(done) or "nothing of this change is modelled")
    if done.verdict == SAME:
        outside = _outside(done) if done.exit_code else ""
        return f"{SAME}; not all of it is judged: {outside}" if outside else SAME
    if done.verdict == MINDS_NOT:
        fixed = _by_blame(done, BLAME_FIXED)
        said = "changes what is modelled; no property minds"
        said += f"; fixes {fixed}" if fixed else ""
        idle = dict.fromkeys(f"{n}()" for j in done.judged for n in j.idle)
        said += f"; runs no more: {_names(idle, 3)}" if idle else ""
        late = [x.result for j in done.judged for x in j.explored if x.late and x.finds]
        ended = dict.fromkeys(e for r in late if (e := _ended(r)))
        said += f"; not decided under tso: {'; '.join(ended)}" if ended else ""
        outside = _outside(done)
        return f"{said}; not all of it is judged: {outside}" if outside else said
    return done.verdict


def _why_open(done: Judging) -> str:
    """What keeps it open, in a sentence."""
    rests = _by_blame(done, BLAME_RESTS)
    if rests:
        on = [w for j in done.judged for x in j.explored for ws in x.rests_on.values() for w in ws]
        return f"{rests}; it rests on what is not modelled: {_names(on, 3)}"
    unasked = _by_blame(done, BLAME_UNASKED)
    if unasked:
        return f"with it, no state comes to where {unasked} is asked"
    unknown = [f.unknown for j in done.judged for f in j.changes if f.unknown]
    if unknown:
        return f"what {_names(f'{n}()' for n in unknown)} does instead is not known"
    if any(ORDER in j.notes and j.verdict == OPEN for j in done.judged):
        return f"{ORDER}; --memory weak looks for what it lets happen"
    if any(_left_out(j) for j in done.judged):
        return "a statement of the input has no meaning here, see 'left out'"
    ended = [e for j in done.judged for x in j.explored if not x.finds and (e := _ended(x.result))]
    ended += [TIME for j in done.judged if any(n.startswith(TIME) for n in j.notes)]
    return "; ".join(dict.fromkeys(ended)) or "see below"


def _ended(r: Result) -> str:
    """Where a search ended before it saw every state, and what moves that bound."""
    if not r.stopped_by:
        return ""
    option = f" (--max-{r.stopped_by})" if r.stopped_by in ("states", "memory", "time") else ""
    seen = f"the search of scenario {r.scenario.name} ended after {number(r.states)} states"
    return f"{seen}, at its bound of {r.stopped_by}{option}" if option else seen


def _outside(done: Judging) -> str:
    """What of the change is not judged, by its reasons; of the first architecture that has any."""
    rows: list[str] = []
    for j in done.judged:
        reasons: dict[str, list[str]] = {}
        for f in j.changes:
            if f.why:
                reasons.setdefault(_reason(f.why), []).append(f"{f.name}()")
            for o in f.outcomes:
                if o.verdict == NOT_JUDGED and o.why:
                    head, _, what = o.why.partition(LEAVES)
                    told = what.split(", ") if not head and what else []
                    reasons.setdefault(LEAVES.strip() if told else o.why, []).extend(told)
        rows = [f"{why} {_names(what, 3)}".strip() for why, what in list(reasons.items())[:2]]
        if rows:
            break
    return "; ".join(rows)


LEAVES = "the specification leaves out "


def _reason(why: str) -> str:
    """Why a function is not judged, to be followed by its name."""
    return {ABSENT: "the specification does not have"}.get(why, f"{why}:")


def _left_out(j: Judgement) -> bool:
    notes = j.result.built.program.notes if j.result else []
    return any(n.kind == "opaque statement" for n in notes)


def _by_blame(done: Judging, blame: str) -> str:
    rows: dict[str, list[str]] = {}
    for j in done.judged:
        for x in j.explored:
            late = " under tso" if x.late else ""
            for p in x.result.properties:
                if p.blame == blame:
                    rows.setdefault(p.name + late, []).append(j.arch)
    return "; ".join(f"{n} ({', '.join(dict.fromkeys(a))})" for n, a in sorted(rows.items()))


def _given(done: Judging) -> list[str]:
    """What was found in the input, and the program it is laid over."""
    out = []
    for p in done.patches:
        out += wrap("input", f"{p.kind}: {p.title}")
        for where, names in _by_place(p).items():
            out += wrap("", f"{where}: {', '.join(names)}" if where else ", ".join(names))
        if p.removed:
            out += wrap("", "removed: " + _names(f.name for f in p.removed))
        others = not_modelled((*p.functions, *p.removed))
        if others:
            what = _names(n for names in others.values() for n in names)
            out += wrap("", f"not modelled here: {', '.join(others)} ({what})")
        for n in (*twice(p), *_together(p.notes)):
            if p.kind not in ("mbox patch", "diff") or not n.startswith("signature "):
                out += wrap("", n)
    for f in done.base.fields:
        out += wrap("inferred", f)
    out += wrap("base", f"{done.base.release}: {done.base.why}")
    if done.scenario is not None:
        out += wrap("scenario", f"{done.scenario.name}: {done.scenario.title}")
    else:
        used = {x.result.scenario.name for j in done.judged for x in j.explored}
        told = (
            ", ".join(sorted(used)) + ": those that run what it changes" if used else "none needed"
        )
        out += wrap("scenario", told)
    return out


_AWAY = re.compile(r"(?:\S*/)?(\S+): hunk (\d+) applies \d+ lines (?:below|above) where it says")


def _together(notes: Sequence[str]) -> list[str]:
    """The notes, those on hunks that stand some lines away as one."""
    away: dict[str, list[str]] = {}
    for m in filter(None, map(_AWAY.fullmatch, notes)):
        away.setdefault(m[1], []).append(m[2])
    if sum(map(len, away.values())) < 2:
        return list(notes)
    told = "; ".join(f"{file} {', '.join(hunks)}" for file, hunks in away.items())
    return [*(n for n in notes if not _AWAY.fullmatch(n)), f"hunks some lines away: {told}"]


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


def _failure(arch: str, title: str, e: LoadputError) -> list[str]:
    """Why one architecture, or one patch on it, has no verdict."""
    out = ["", f"{arch}: {title}"[:WIDTH] if title else arch]
    out += wrap("no verdict", f"{e.what} [{e.code}]")
    if e.span is not None:
        out += wrap("", str(e.span))
    for name in ("got", "expected", "next"):
        if value := getattr(e, name):
            out += wrap(name, value)
    return out


def _idle(arch: str, t: Taken) -> list[str]:
    """A patch that has nothing for an architecture."""
    out = ["", f"{arch}: {t.patch.title}"[:WIDTH], *wrap("", "changes nothing here")]
    for n in t.notes:
        out += wrap("", n)
    return out


def _judgement(j: Judgement, *, verbose: bool) -> list[str]:
    """One patch on one architecture: what was carried over, verdicts with blame, new findings."""
    out = ["", f"{j.arch}: {j.patch}"[:WIDTH]]
    for f in j.changes:
        out += _function(f, j, verbose=verbose)
    for name in j.removed:
        out += wrap("", f"{name}: removed")
    for n in j.notes:
        out += wrap("", n)
    for text, why in j.fixed.items():
        out += wrap("taken for", f"{text}: {why}")
    for x in j.explored:
        out += _explored(x, j, verbose=verbose)
    return out


def _explored(x: Explored, j: Judgement, *, verbose: bool) -> list[str]:
    """What one scenario says: verdicts with blame, and each new counterexample."""
    r = x.result
    out = wrap("scenario", f"{r.scenario.name}: {r.scenario.title}") if len(j.explored) > 1 else []
    if x.late:
        out += wrap("memory", "tso, as accesses may be ordered otherwise: docs/memory.md")
    seen = f"{number(r.states)} states"
    if x.before is not None:
        shallow = x.before.stopped_by and not r.stopped_by
        seen += f", base {number(x.before.states)}" + (" as far as it is asked" if shallow else "")
    out += wrap("explored", seen + (f"; stopped by {r.stopped_by}" if r.stopped_by else ""))
    for p in sorted(r.properties, key=lambda p: (p.depth or 0, p.name)):
        if p.verdict == VIOLATED:
            told = f"{p.name}, {p.depth} steps: {p.blame}"
            if p.name in x.rests_on:
                told += f": {_names(x.rests_on[p.name], 3)}"
            out += wrap("violated", told)
    fixed = [p.name for p in r.properties if p.blame == BLAME_FIXED]
    if fixed:
        out += wrap("fixed", ", ".join(fixed))
    held = sum(p.verdict == HOLDS for p in r.properties)
    out += wrap("holds", f"{held} of {len(r.rows())}")
    unasked = [p.name for p in r.properties if p.blame == BLAME_UNASKED]
    open_ = [p.name for p in r.properties if p.verdict == UNDECIDED and p.name not in unasked]
    if open_ and x.finds:
        out += wrap("not decided", f"{len(open_)} properties: nothing found so far")
    elif open_:
        out += wrap("not decided", ", ".join(open_))
    if unasked:
        out += wrap("not decided", f"{', '.join(unasked)}: {BLAME_UNASKED}")
    if x.idle:
        out += wrap("runs no more", _names(f"{n}()" for n in x.idle))
    less = [p.name for p in r.properties if p.blame == BLAME_LESS]
    if less:
        out += wrap("at stake", f"less than before: {', '.join(less)}")
    out += render_races(r, verbose=verbose)
    if x is j.explored[-1]:
        out += _rests_on(j, verbose=verbose)
    told_ = [p for p in violations(r) if verbose or p.blame in (BLAME_NEW, BLAME_RESTS)]
    return out + render_findings(r, told_, verbose=verbose)


def _function(f: FunctionChange, j: Judgement, *, verbose: bool) -> list[str]:
    """One changed function: its hunk, and what that is in the specification."""
    if f.whole:
        return _whole(f, j)
    if f.why:
        return wrap("not judged", f"{f.name}: {f.why}")
    read = f"{', '.join(f'{h}()' for h in f.through)} read in " if f.through else ""
    if not f.outcomes:
        return wrap("", f"{read}{f.name}: {THERE if f.there else SAME}")
    out: list[str] = []
    if f.judged:
        out += [f"  {read}{f.name}, the patch"[:WIDTH], *_diff(f.hunk)]
        for c in f.carried:
            if c.changes:
                at = f"{c.spec.span.file}:{c.spec.span.line}"
                name = "" if c.spec.name == f.name else f"{c.spec.name}, "
                what = "there already, in" if f.there else "carried over to"
                out += [f"  {what} {name}{at}"[:WIDTH], *_diff(c.diff())]
    if f.judged and f.there:
        out += wrap("", f"{THERE}: judged against the specification without it")
    for o in f.outcomes:
        if o.verdict == NOT_JUDGED:
            line = o.edit.place.rpartition(":")[2]
            out += wrap("not judged", f"{f.name}, line {line}: {o.edit.kind}: {o.why}")
    return out


def _diff(lines: Sequence[str]) -> list[str]:
    """A diff, indented; lines that are too long are cut, never wrapped."""
    return [f"    {ln.expandtabs(4)}"[:WIDTH] for ln in lines if ln.strip(" +-\t")]


def _whole(f: FunctionChange, j: Judgement) -> list[str]:
    """A function that was given whole, without what it was before."""
    if f.why:
        return wrap("not judged", f"{f.name}: {f.why}")
    if f.name in j.added:
        return wrap("", f"{f.name}: new; the base does not have it")
    e = next((e for e in j.equivalences if e.function == f.name), None)
    if e is None:
        return wrap("", f"{f.name}: taken as it is")
    said = f"{e.function}: {RELATION.get(e.verdict, e.verdict)}"
    inputs = "1 input" if e.runs == 1 else f"{e.runs} inputs"
    if e.verdict == EQUIVALENT:
        said += f" ({inputs} run through both)"
    elif e.verdict == "not decided":
        said = f"{e.function}: changed; whether it does the same is not decided by {inputs}"
    if any(e.where):
        said += f"; base: {e.where[0]}; here: {e.where[1]}"
    return wrap("", said)


SAID = {
    "opaque read": "any value",
    "dropped store": "not stored",
    "dropped call": "not called",
    "opaque address": "unchanged by",
    "opaque statement": "left out",
}


def _rests_on(j: Judgement, *, verbose: bool) -> list[str]:
    """What the verdict takes for granted about the C: opaque calls, values, configuration."""
    r = j.result
    assert r is not None
    most = 1000 if verbose else 6
    out: list[str] = []
    if r.opaque_calls:
        calls = _names(sorted(r.opaque_calls), most)
        out += wrap("opaque calls", f"{len(r.opaque_calls)}, no effect, any result: {calls}")
    notes = r.built.program.notes
    for kind, label in SAID.items():
        what = sorted({n.what for n in notes if n.kind == kind})
        if what:
            out += wrap(label, _names(what, most))
    if r.inferred_fields:
        out += wrap("inferred", ", ".join(r.inferred_fields))
    if j.assumed:
        out += wrap("assumed", ", ".join(j.assumed))
    return out


def _summary(done: Judging) -> list[str]:
    """Blame by blame, what has no verdict, and what the verdicts do not cover."""
    out: list[str] = []
    for blame in (BLAME_NEW, BLAME_RESTS, BLAME_OPEN, BLAME_UNASKED, BLAME_FIXED, BLAME_OLD):
        said = _by_blame(done, blame)
        explored = any(j.explored for j in done.judged)
        if said or (blame == BLAME_NEW and explored):
            label = "new" if blame == BLAME_NEW else blame.partition(":")[0]
            out += wrap(label, said or "no violation")
    results = [(j.arch, x.result) for j in done.judged for x in j.explored if not x.late]
    late = [(j.arch, x.result) for j in done.judged for x in j.explored if x.late]
    for rows, where in ((results, ""), (late, " under tso")):
        open_ = {a for a, r in rows for p in r.properties if p.verdict == UNDECIDED}
        if open_:
            out += wrap("not decided", f"some properties{where} on {', '.join(sorted(open_))}")
    if done.failed:
        archs = [a for a, _, _ in done.failed]
        told = (a if archs.count(a) == 1 else f"{a} ({archs.count(a)} patches)" for a in archs)
        out += wrap("no verdict", _names(told))
    if results or late:
        memory = (results or late)[0][1].choice.memory
        more = OPAQUE if any(r.opaque_calls for _, r in (*results, *late)) else ""
        if memory != SC:
            out += wrap("memory", f"{memory}: docs/memory.md")
        elif late:
            out += wrap("memory", f"sc; tso too on {_names(a for a, _ in late)}: docs/memory.md")
        out += wrap("not covered", edge_of(memory) + more)
    return out
