"""``loadput check`` with C of the user's: a mail, a series, a diff, C files, a tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import make_choice, share_cores

if TYPE_CHECKING:
    from ..api import Judged
    from ..check.verdict import Result
    from ..link.program import Choice
    from ..link.scenario import Scenario

Decide = Callable[["Choice", "Scenario", dict[str, Any], str], "Result"]


def run_judging(
    inputs: tuple[str, ...], archs: list[str], opts: dict[str, Any], decide: Decide, command: str
) -> Judged:
    """Judge every input on every architecture; say what became of each."""
    from ..api import judge

    shared = share_cores(opts, len(archs))
    done = judge(
        inputs,
        tree=opts["tree"],
        arch=opts["arch"],
        scenario=opts["scenario"] if opts["scenario_named"] else "",
        base=opts["base"] or opts["release"],
        choice=make_choice(opts, archs[0]),
        decide=lambda c, s, how: decide(c, s, shared, how),
        at_once=shared["at_once"],
        command=command,
    )
    if opts["json_file"] != "-":
        click.echo(done.text(verbose=opts["verbose"]), nl=False)
    return done


def run_range(
    revs: tuple[str, ...], archs: list[str], opts: dict[str, Any], decide: Decide
) -> tuple[int, dict[str, Any]]:
    """Judge each commit of a git range by itself, on its parent; a line for each."""
    from ..api import judge_range
    from ..report.json import SCHEMA
    from ..report.judged import render_commit

    shared = share_cores(opts, len(archs))
    rows = []
    codes = [0]
    for commit in judge_range(
        opts["repo"],
        revs,
        arch=opts["arch"],
        scenario=opts["scenario"] if opts["scenario_named"] else "",
        base=opts["base"] or opts["release"],
        choice=make_choice(opts, archs[0]),
        decide=lambda c, s, how: decide(c, s, shared, how),
        at_once=shared["at_once"],
    ):
        if opts["json_file"] != "-":
            done = commit.judged.judging if commit.judged else None
            said = render_commit(
                commit.sha, commit.subject, done, commit.error, verbose=opts["verbose"]
            )
            click.echo(said, nl=False)
        rows.append(commit.json())
        codes.append(commit.exit_code)
    worst = next((c for c in (1, 2, 4) if c in codes), 0)
    return worst, {"schema": SCHEMA, "commits": rows}


def tree_alone(archs: list[str], opts: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Every function of the program that the tree has, against ours."""
    from ..check.basis import tree_release
    from ..check.equiv import DIFFERENT
    from ..check.judge import compare_with_tree
    from ..link.scenario import load_scenario
    from ..report.json import SCHEMA, equivalence
    from ..report.judged import render_tree

    tree = Path(opts["tree"])
    scenario = load_scenario(opts["scenario"])
    release = opts["release"] or tree_release(tree)
    rows = []
    code = 0
    for arch in archs:
        choice: Choice = make_choice({**opts, "release": release}, arch)
        answers, defs, reasons = compare_with_tree(tree, choice, scenario)
        if opts["json_file"] != "-":
            said = render_tree(tree, choice, answers, defs, reasons, verbose=opts["verbose"])
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
    return code, {"schema": SCHEMA, "tree": tree.name, "archs": rows}
