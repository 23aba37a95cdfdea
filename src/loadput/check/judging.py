"""The user's C judged, from what was given to the verdict: what `loadput.judge` and the verb do."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

from ..base.clock import at_most
from ..base.errors import InputError, Interrupted, LoadputError, TimeUp
from ..lang.carry.inline import calls_in
from ..lang.inputs import Patch
from ..link.overlay import known_archs
from ..link.program import Choice
from ..link.scenario import Scenario, load_scenario
from .basis import RELEASES, Base, base_of_tree, choose_base
from .bounds import SECONDS
from .judge import (
    NEW,
    NOT_JUDGED,
    OPEN,
    TIME,
    Judgement,
    Known,
    Run,
    judge,
)
from .scenes import LARGE
from .scope import not_modelled, scope_of
from .taken import Taken, take_all

NO_CODE = "changes no code"
SEVERITY = {0: 0, 4: 1, 2: 2, 1: 3}


@dataclass(slots=True)
class Part:
    """One architecture's share: in the order of the patches.

    :param rows: a judgement, an error with its patch's title, or a patch that has nothing here
    """

    arch: str
    rows: list[Judgement | tuple[str, LoadputError] | Taken] = field(default_factory=list)


@dataclass(slots=True)
class Judging:
    """What became of everything that was given, on every architecture asked for."""

    patches: list[Patch]
    base: Base
    scenario: Scenario | None
    parts: list[Part] = field(default_factory=list)

    @property
    def judged(self) -> list[Judgement]:
        """Every judgement, architecture by architecture."""
        return [r for p in self.parts for r in p.rows if isinstance(r, Judgement)]

    @property
    def failed(self) -> list[tuple[str, str, LoadputError]]:
        """``(architecture, title, error)`` of what has no verdict."""
        return [(p.arch, *r) for p in self.parts for r in p.rows if isinstance(r, tuple)]

    @property
    def idle(self) -> list[tuple[str, Taken]]:
        """``(architecture, patch)`` of what changes nothing there."""
        return [(p.arch, r) for p in self.parts for r in p.rows if isinstance(r, Taken)]

    @property
    def verdict(self) -> str:
        """The worst of all: violated, not decided, not judged, or the best there is."""
        if self.patches and all(p.only_comments for p in self.patches):
            return NO_CODE
        said = [j.verdict for j in self.judged]
        judged = [v for v in said if v != NOT_JUDGED]
        for v in (NEW, OPEN):
            if v in judged:
                return v
        return (judged or said or [NOT_JUDGED])[0]

    @property
    def exit_code(self) -> int:
        """0 nothing new, 1 a new violation, 2 no verdict somewhere, 4 not decided or not judged.

        A patch is judged where one architecture judges it; one that brings what a later one of the
        series calls is judged with that.
        """
        codes = [2 for _ in self.failed]
        rows = zip_longest(*(p.rows for p in self.parts))
        for row in ([r for r in row if isinstance(r, Judgement)] for row in rows):
            judged = [j.exit_code for j in row if j.verdict != NOT_JUDGED]
            codes += judged or [4 for j in row if not j.waits]
        if not codes:
            return 0 if self.verdict == NO_CODE else 4
        return max(codes, key=SEVERITY.__getitem__)


def judge_patches(
    patches: Sequence[Patch],
    archs: Sequence[str],
    scenario: Scenario | None,
    *,
    choice: Choice,
    decide: Run,
    tree: Path | None = None,
    named: str = "",
    at_once: int = 1,
) -> Judging:
    """Judge every patch on every architecture, each on what those before it left.

    :param choice: design, twin and overlay folders; its architecture and release are not looked at
    :param scenario: None: those that run what each patch changes
    :param decide: explores one program in a scenario; see `judge`
    :param named: ``RELEASE[:DESIGN]``: the base, chosen by the user
    :raises LoadputError: nothing of it concerns these architectures; or all fail alike
    """
    newest = named.partition(":")[0] or RELEASES[0]
    choices = {a: replace(choice, arch=a, release=newest) for a in archs}
    first = scenario or load_scenario(LARGE)
    taken, failed = take_all(patches, archs, choices, first)
    if not any(p.functions or p.removed for p in patches):
        return Judging(
            list(patches), Base(newest, "nothing of it is code that is judged"), scenario
        )
    _has_any(taken, failed, patches)
    base, design = _base(taken, first, choice, tree, named)
    out = Judging(list(patches), base, scenario)

    def one(arch: str) -> Part:
        if arch in failed:
            return Part(arch, [("", failed[arch])])
        at = replace(choice, arch=arch, release=base.release, design=design)
        return _arch(at, scenario, taken[arch], decide)

    with ThreadPoolExecutor(at_once) as pool:
        for part in pool.map(one, archs):
            out.parts.append(part)
    if out.failed and not out.judged and len({e.render() for _, _, e in out.failed}) == 1:
        raise out.failed[0][2]
    return out


def _has_any(
    taken: dict[str, list[Taken]], failed: dict[str, LoadputError], patches: Sequence[Patch]
) -> None:
    """Raises the error of the only architecture, or InputError LP0417 where none has anything."""
    if not taken:
        raise next(iter(failed.values()))
    if any(t.changes for ts in taken.values() for t in ts) or failed:
        return
    functions = [f for p in patches for f in (*p.functions, *p.removed)]
    if len(taken) == len(known_archs()):
        return
    others = sorted({a for f in functions for a in scope_of(f).archs or ()})
    why = ", ".join(not_modelled(functions))
    names = ", ".join(dict.fromkeys(f.name for f in functions))
    raise InputError(
        "LP0417",
        f"the input has no function of {', '.join(taken)}",
        got=names + (f"; {why} not modelled here" if why else ""),
        expected="functions of common code or of the chosen architectures",
        next=f"--arch {','.join(others)}" if others else "loadput list shows what is modelled",
    )


def _base(
    taken: dict[str, list[Taken]],
    scenario: Scenario,
    choice: Choice,
    tree: Path | None,
    named: str,
) -> tuple[Base, str]:
    """The base and its design."""
    if named:
        release, _, design = named.partition(":")
        return Base(release, "named on the command line"), design or choice.design
    known = base_of_tree(tree, taken) if tree is not None else None
    return known or choose_base(taken, scenario, choice.design, choice.search), choice.design


def _arch(choice: Choice, scenario: Scenario | None, taken: Sequence[Taken], run: Run) -> Part:
    """Patch by patch, earlier ones beneath; one that does not link lies beneath the next too."""
    part = Part(choice.arch)
    known: Known = {}
    at = choice
    for i, t in enumerate(taken):
        label = "earlier patches" if t is not taken[-1] else t.patch.kind
        if not t.changes:
            part.rows.append(t)
            continue
        try:
            with at_most(SECONDS):
                j, at, known = judge(t, at, scenario, run=run, known=known, label=label)
        except TimeUp:
            part.rows.append(Judgement(t.patch.title, at.arch, OPEN, [], notes=[TIME]))
            continue
        except Interrupted:
            break
        except LoadputError as e:
            part.rows.append((t.patch.title, e))
            continue
        if j.waits:
            called = {fn for x in taken[i + 1 :] for d in x.defs for fn in calls_in(d)}
            among = {fn for d in t.defs for fn in calls_in(d) if fn != d.name}
            j.waits = bool(called & set(j.unused)) and called | among >= set(j.unused)
        part.rows.append(j)
    return part
