"""``loadput check`` with C of the user's: a mail, a series, a diff, C files, a tree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import Interrupted
from ..base.output import store
from .check import _run, again, draw, exit_code
from .interrupt import INTERRUPTED, interrupted
from .options import make_choice, overlay_folders, share_cores

if TYPE_CHECKING:
    from ..base.errors import LoadputError
    from ..check.basis import Base
    from ..check.judge import Judgement
    from ..check.taken import Taken
    from ..lang.inputs import Patch
    from ..link.program import Choice
    from ..link.scenario import Scenario

SEVERITY = {0: 0, 4: 1, 2: 2, 1: 3}


@dataclass(slots=True)
class _Run:
    """One call of the verb on one architecture or on all: what it is given, what came of it."""

    opts: dict[str, Any]
    scenario: Scenario
    patches: list[Patch]
    judged: list[Judgement] = field(default_factory=list)
    failed: list[tuple[str, str, LoadputError]] = field(default_factory=list)
    idle: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def run_judging(inputs: tuple[str, ...], archs: list[str], opts: dict[str, Any]) -> int:
    """Judge every input on every architecture; return the exit code."""
    from ..check.basis import RELEASES
    from ..check.judge import take_all
    from ..lang.inputs import read_input
    from ..link.scenario import load_scenario
    from ..report.judged import render_failure, render_head, render_summary, render_tree

    scenario = load_scenario(opts["scenario"])
    patches = [p for f in inputs for p in read_input(f, opts["tree"])]
    if not patches:
        return _tree_only(archs, opts, scenario, render_tree)
    run = _Run(opts, scenario, patches)
    newest = {**opts, "release": (opts["base"] or opts["release"]).partition(":")[0] or RELEASES[0]}
    taken, failed = take_all(patches, archs, {a: make_choice(newest, a) for a in archs}, scenario)
    _has_any(taken, failed, patches)
    base, run.opts = _base(taken, scenario, opts)
    quiet = opts["json_file"] == "-"
    if not quiet:
        click.echo(render_head(patches, base), nl=False)
    shared = share_cores(run.opts, len(archs))

    def one(arch: str) -> _Run:
        part = replace(run, judged=[], failed=[], idle=[], said=[])
        part.opts = shared
        if arch in failed:
            part.failed.append((arch, "", failed[arch]))
            part.said.append(render_failure(arch, "", failed[arch]))
        else:
            with suppress(Interrupted):
                _judge_arch(part, arch, base, taken[arch])
        return part

    with ThreadPoolExecutor(shared["at_once"]) as pool:
        for part in pool.map(one, archs):
            if not quiet:
                click.echo("".join(part.said), nl=False)
            run.judged += part.judged
            run.failed += part.failed
            run.idle += part.idle
    if run.failed and not run.judged and len({e.render() for _, _, e in run.failed}) == 1:
        raise run.failed[0][2]
    if not quiet:
        command = again(opts, opts["arch"], inputs)
        click.echo(render_summary(run.judged, run.failed, run.idle, command), nl=False)
    if opts["json_file"]:
        store(opts["json_file"], _json(run, base))
    draw(opts, [j.result for j in run.judged], again(opts, opts["arch"], inputs))
    codes = [exit_code(j.result, True) for j in run.judged] + [2 for _ in run.failed]
    return INTERRUPTED if interrupted() else max(codes, key=SEVERITY.__getitem__, default=0)


def _has_any(
    taken: dict[str, list[Taken]], failed: dict[str, LoadputError], patches: list[Patch]
) -> None:
    """Raises the error of the only architecture, or InputError LP0417 where none has anything."""
    from ..base.errors import InputError
    from ..check.scope import not_modelled, scope_of

    if not taken:
        raise next(iter(failed.values()))
    if any(t.changes for ts in taken.values() for t in ts) or failed:
        return
    functions = [f for p in patches for f in (*p.functions, *p.removed)]
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
    taken: dict[str, list[Taken]], scenario: Scenario, opts: dict[str, Any]
) -> tuple[Base, dict[str, Any]]:
    """The base, and the options with its design."""
    from ..check.basis import Base, base_of_tree, choose_base

    if opts["release"] or opts["base"]:
        release, _, design = (opts["base"] or opts["release"]).partition(":")
        return Base(release, "named on the command line"), {
            **opts,
            "design": design or opts["design"],
        }
    known = base_of_tree(Path(opts["tree"])) if opts["tree"] else None
    return known or choose_base(taken, scenario, opts["design"], overlay_folders(opts)), opts


def _judge_arch(run: _Run, arch: str, base: Base, taken: list[Taken]) -> None:
    """Patch by patch, earlier ones beneath; one that does not link lies beneath the next too."""
    from ..base.errors import LoadputError
    from ..check.judge import judge
    from ..check.taken import lay
    from ..report.judged import render_failure, render_idle, render_judgement

    choice, note = _as_it_was(run, make_choice({**run.opts, "release": base.release}, arch), taken)
    before = None
    at = choice
    for t in taken:
        title, label = t.patch.title, "earlier patches" if t is not taken[-1] else t.patch.kind
        if not t.changes:
            run.idle.append((arch, title))
            run.said.append(render_idle(arch, t))
            continue
        try:
            user = lay(at, t, label)
            j = judge(
                t, at, run.scenario, run=lambda c: _run(c, run.scenario, run.opts),
                before=before, label=label,
            )  # fmt: skip
        except LoadputError as e:
            run.failed.append((arch, title, e))
            run.said.append(render_failure(arch, title, e))
            at = user
            continue
        if note and not j.notes:
            j.notes.append(note)
        run.judged.append(j)
        run.said.append(render_judgement(j, verbose=run.opts["verbose"]))
        at, before = user, j.result


def _as_it_was(run: _Run, choice: Choice, taken: list[Taken]) -> tuple[Choice, str]:
    """The base with the functions as the user's tree or diff had them, where they link."""
    from ..base.errors import LoadputError
    from ..check.taken import as_it_was
    from ..link.program import link

    old = as_it_was(taken)
    if not old:
        return choice, ""
    with_old = replace(choice, user=old, user_label="its functions as they were")
    try:
        link(with_old, run.scenario)
    except LoadputError as e:
        return choice, f"the base is the release's own: as it was, {e.what}"
    return with_old, ""


def _json(run: _Run, base: Base) -> bytes:
    from ..report.json import SCHEMA, encode, judgement, patch_input

    return encode(
        {
            "schema": SCHEMA,
            "base": {
                "release": base.release,
                "why": base.why,
                "distances": dict(base.distances),
                "fields": list(base.fields),
            },
            "inputs": [patch_input(p) for p in run.patches],
            "programs": [judgement(j) for j in run.judged],
            "failed": [
                {"arch": a, "patch": t, "code": e.code, "error": e.render()}
                for a, t, e in run.failed
            ],
            "unchanged": [{"arch": a, "patch": t} for a, t in run.idle],
        }
    )


def _tree_only(archs: list[str], opts: dict[str, Any], scenario: Scenario, render: Any) -> int:
    """Every function of the program that the tree has, against ours; then the program with them."""
    from ..check.basis import tree_release
    from ..check.equiv import DIFFERENT
    from ..check.judge import compare_with_tree
    from ..report.json import SCHEMA, encode, equivalence

    tree = Path(opts["tree"])
    release = opts["release"] or tree_release(tree)
    rows = []
    code = 0
    for arch in archs:
        choice: Choice = make_choice({**opts, "release": release}, arch)
        answers, defs, reasons = compare_with_tree(tree, choice, scenario)
        if opts["json_file"] != "-":
            said = render(tree, choice, answers, defs, reasons, verbose=opts["verbose"])
            click.echo(said, nl=False)
        code |= int(any(e.verdict == DIFFERENT for e in answers))
        rows.append(
            {
                "arch": arch,
                "release": release,
                "functions": [equivalence(e) for e in answers],
                "ours": reasons,
            }
        )
    if opts["json_file"]:
        store(opts["json_file"], encode({"schema": SCHEMA, "tree": tree.name, "archs": rows}))
    return code
