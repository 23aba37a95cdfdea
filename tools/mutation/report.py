"""docs/mutation.md: the page that ``make mutate`` writes."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from loadput.link.layers import DEFAULT_RELEASE

from .damage import KINDS

if TYPE_CHECKING:
    from .verdict import Result

STATES = {
    "caught": "a property is violated",
    "unasked": "no property is violated, but one is asked of less: its place, or a side of a test"
    " in its own text, is not reached any more. Of a change, `check` names it; where its place is"
    " not reached it is *not decided*",
    "lost": "no property notices in either way, but a function that the program runs is never run"
    " any more, or a side of a branch never taken. Of a patch, `check` names the functions in its"
    " first sentence; `check --stats` lists the sides",
    "hole": "no property notices, and it is not proven equivalent",
    "argued": "one of the last two, and a person has found that the kernel is right with it: the"
    " argument stands above it below",
    "equivalent": "proven to do the same, on every scenario small enough to compare",
    "unread": "drops a store that no branch and no property depends on",
    "order": "changes the order of memory only, which is sequentially consistent here",
    "unreached": "no run of the undamaged program comes to the place",
    "broken": "is no program that a checker takes",
}
LEFT = "not decided yet"
SHARES = ["score", "with lost", "strict", "raw"]
Found = Mapping[str, tuple[Sequence["Result"], int, Sequence[tuple[str, int, bool]]]]

HEAD = """# Mutation

`make mutate` damages the kernel functions of the specification, one place at a time, and asks who
notices. It writes this page. Each result is kept as soon as it is there, under a digest of the
mutated program: one that is killed goes on where it was, and a second run does what has changed.
What stands for user space, devices, the guest and the hardware is not damaged, nor are properties,
nor what only the model says: that a value is forgotten, or which way a free choice goes. Of an
architecture that is laid over another (`arm64-nv`), only its own functions are.

{kinds}

Each mutant is decided on small scenarios (`one`, `shared`, eight of the tool's own), on those of
the museum for its architecture, and last on `default` and with two threads on a vCPU, up to
{bound:,} states there. Before a scenario that is too large to compare behaviours on comes a smaller
one, on one CPU with voluntary preemption (`…-small`). Then it is one of:

{states}

*Proven to do the same* means: on each scenario of at most {most:,} states that reaches the damage,
the reachable states of both are stuttering bisimilar, by the values of all variables or by all that
the code and the properties read: each state of one has one of the other from which the same can
follow (tools/mutation/same.py). It is a proof for those scenarios. The score is *caught* and
*unasked*, which properties notice, among these, *lost* and *hole*; in the next column *lost* counts
too, of which a patch's report speaks; the strict score is the first with *argued* among what is not
noticed, and the raw one of all that are reached and built.
"""


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers with their commas."""
    text = [[f"{x:,}" if isinstance(x, int) else str(x) for x in row] for row in rows]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(r) + " |" for r in text)]) + "\n"


def share(part: int, whole: int) -> str:
    """A percentage with one digit, never rounded up to 100."""
    return f"{int(1000 * part / whole) / 10:.1f} %" if whole else "–"


def write_report(page: Path, found: Found, *, bound: int, most: int) -> None:
    """Write ``page`` from the results of every architecture."""
    kinds = "\n".join(f"- {text}" for text in KINDS.values())
    states = "\n".join(f"- **{name}**: {text}" for name, text in STATES.items())
    whole = {arch: row for arch, row in found.items() if not row[1]}
    parts = [
        HEAD.format(kinds=kinds, states=states, bound=bound, most=most),
        f"## Score\n\nOf {DEFAULT_RELEASE}.\n\n" + _score(found),
        "## By kind of damage\n\n" + _kinds(whole),
        "## Who notices\n\nMutants by the property with the shortest counterexample, or the first"
        " that is not asked\nany more; in parentheses, how many each notices at all.\n\n"
        + _who(whole),
        "## Barriers and marks\n\n" + _order(whole),
        "## Survivors\n\n" + _survivors(whole),
    ]
    page.write_text("\n".join(parts), encoding="utf-8")


def _score(found: Found) -> str:
    rows, total = [], Counter[str]()
    for arch, (results, left, _) in found.items():
        n = Counter(state_of(arch, r) for r in results) + Counter({LEFT: left})
        total += n
        rows.append(_score_row(arch, n))
    whole = Counter(
        state_of(arch, r) for arch, (rows, left, _) in found.items() if not left for r in rows
    )
    rows.append(_score_row("all of these" if not total[LEFT] else "all that are whole", whole))
    head = ["architecture", "mutants", *STATES, LEFT, *SHARES]
    told = "" if not total[LEFT] else _left(found, total)
    return table(head, rows) + told


def _left(found: Found, total: Counter[str]) -> str:
    """What a run that was stopped before its end did not decide."""
    whole = [a for a, (_, left, _) in found.items() if not left]
    return (
        f"\n**This run was stopped before its end: {total[LEFT]:,} of {sum(total.values()):,}"
        f" mutants are not decided yet.** Whole: {', '.join(whole) or 'none'}; what follows is of"
        " these. `make mutate` goes on.\n"
    )


def _kinds(found: Found) -> str:
    rows = []
    every = [(state_of(arch, r), r.kind) for arch, (rows_, *_) in found.items() for r in rows_]
    for kind, text in KINDS.items():
        rows.append(_score_row(text, Counter(state for state, k in every if k == kind))[:-1])
    return table(["damage", "mutants", *STATES, LEFT, *SHARES[:-1]], rows)


def _score_row(name: str, n: Counter[str]) -> list[object]:
    caught = n["caught"] + n["unasked"]
    asked = caught + n["lost"] + n["hole"]
    strict = asked + n["argued"]
    raw = strict + n["equivalent"] + n["unread"] + n["order"]
    cells: list[object] = [n[s] for s in (*STATES, LEFT)]
    shares = ["–"] * len(SHARES)  # of what was caught first, all would be caught
    if not n[LEFT]:
        parts = (caught, asked), (caught + n["lost"], asked), (caught, strict), (caught, raw)
        shares = [share(*part) for part in parts]
    return [name, sum(n.values()), *cells, *shares]


def _who(found: Found) -> str:
    first, every = Counter[str](), Counter[str]()
    for results, *_ in found.values():
        for r in results:
            if r.state in ("caught", "unasked"):
                first[r.by] += 1
                every.update([r.by, *r.also])
    rows = sorted(every, key=lambda p: (-first[p], -every[p], p))
    return table(["property", "mutants"], [[p, f"{first[p]:,} ({every[p]:,})"] for p in rows])


def _order(found: Found) -> str:
    mine = [r for results, *_ in found.values() for r in results if r.state == "order"]
    told = sum(r.race for r in mine)
    return (
        f"{len(mine):,} mutants drop a barrier or the mark of an access. Memory is sequentially"
        f" consistent here, so no property can notice; {told:,} of them make `check` list a race"
        " that was not there before. They count for no score but the raw one.\n"
    )


REASONS = Path(__file__).with_name("reasons.toml")


@cache
def _reasons() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = tomllib.loads(REASONS.read_text("utf-8"))["reason"]
    return rows


def reason_of(arch: str, r: Result) -> str:
    """Why no property minds the mutant, as a person has found; "" where nobody has looked."""
    for row in _reasons():
        archs = row.get("arch", arch).split(", ")
        if (
            arch in archs
            and r.name.split()[0] in row["function"].split(", ")
            and row.get("kind", r.kind) == r.kind
            and row.get("damage", "") in r.what
        ):
            return row["why"]
    return ""


def state_of(arch: str, r: Result) -> str:
    """The state that the tables count it under."""
    return "argued" if r.state in ("lost", "hole") and reason_of(arch, r) else r.state


def _survivors(found: Found) -> str:
    """Each mutant that no property notices, those of one reason together."""
    told: dict[str, list[str]] = {}
    left = 0
    for arch, (results, *_) in found.items():
        for r in results:
            if r.state in ("hole", "lost"):
                why = reason_of(arch, r)
                left += not why
                row = f"- {arch}, {r.state}: `{r.name}`: {r.what} ({r.place}): {_why(r)}"
                told.setdefault(why or "No reason is written yet.", []).append(row)
    count = sum(map(len, told.values()))
    head = (
        f"{count:,} mutants are *lost* or a *hole*: no property notices. Why the kernel is right"
        " with them, as a person has found (tools/mutation/reasons.toml), is said above those that"
        f" it is about; {left:,} are without.\n"
    )
    parts = [f"**{why}**\n\n" + "\n".join(rows) + "\n" for why, rows in sorted(told.items())]
    return "\n".join([head, *parts])


def _why(r: Result) -> str:
    """What is known of a mutant that nothing notices."""
    if r.state == "lost":
        return f"{r.by} is not run any more, or one way through it"
    if r.scenario:
        return f"it does something else on `{r.scenario}`"
    return "reached only where there are too many states to compare"
