"""``loadput check`` with C of the user's: a mail, a series, a diff, C files, a tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.clock import untimed
from .options import make_choice, overlay_folders, share_cores

if TYPE_CHECKING:
    from ..api import Judged
    from ..check.equiv import Equivalence
    from ..check.verdict import Result
    from ..link.program import Choice
    from ..link.scenario import Scenario

Decide = Callable[["Choice", "Scenario", dict[str, Any], str, int | None], "Result"]


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
        decide=lambda c, s, how, most: decide(c, s, shared, how, most),
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
        decide=lambda c, s, how, most: decide(c, s, shared, how, most),
        at_once=shared["at_once"],
    ):
        if opts["json_file"] != "-":
            done = commit.judged.judging if commit.judged else None
            with untimed():
                said = render_commit(
                    commit.sha, commit.subject, done, commit.error, verbose=opts["verbose"]
                )
            click.echo(said, nl=False)
        rows.append(commit.json())
        codes.append(commit.exit_code)
    worst = next((c for c in (1, 2, 4) if c in codes), 0)
    return worst, {"schema": SCHEMA, "commits": rows}


def tree_alone(archs: list[str], opts: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Whether the specification may be trusted for a tree: each function that it mirrors there."""
    from ..api import follow
    from ..check.basis import tree_release
    from ..report.followed import followup, render_followup, render_second
    from ..report.json import SCHEMA

    tree = Path(opts["tree"])
    rows = []
    for arch in archs:
        release = opts["release"] or tree_release(tree, [arch], overlay_folders(opts))
        choice: Choice = make_choice({**opts, "release": release}, arch)
        rows.append(follow(tree, choice))
        if opts["json_file"] != "-":
            click.echo(render_followup(rows[-1], verbose=opts["verbose"]), nl=False)
            if opts["verbose"]:
                click.echo(render_second(_second(tree, choice, opts)), nl=False)
    code = int(not all(f.is_in_step for f in rows))
    return code, {"schema": SCHEMA, "tree": tree.name, "archs": [followup(f) for f in rows]}


def _second(tree: Path, choice: Choice, opts: dict[str, Any]) -> list[Equivalence]:
    from ..check.tree import compare_with_tree
    from ..link.scenario import load_scenario

    return compare_with_tree(tree, choice, load_scenario(opts["scenario"]))[0]
