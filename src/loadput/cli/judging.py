"""``loadput check`` with C of the user's: a mail, a series, a diff, C files, a tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import make_choice, share_cores

if TYPE_CHECKING:
    from ..check.judging import Judging
    from ..check.verdict import Result
    from ..link.program import Choice
    from ..link.scenario import Scenario

Decide = Callable[["Choice", "Scenario", dict[str, Any], str], "Result"]


def run_judging(
    inputs: tuple[str, ...], archs: list[str], opts: dict[str, Any], decide: Decide, command: str
) -> Judging:
    """Judge every input on every architecture; say what became of each."""
    from ..check.judging import judge_patches
    from ..lang.inputs import read_inputs
    from ..link.scenario import load_scenario
    from ..report.judged import render_judging

    shared = share_cores(opts, len(archs))
    done = judge_patches(
        read_inputs(inputs, opts["tree"]),
        archs,
        load_scenario(opts["scenario"]),
        choice=make_choice(opts, archs[0]),
        decide=lambda c, s, how: decide(c, s, shared, how),
        tree=Path(opts["tree"]) if opts["tree"] else None,
        named=opts["base"] or opts["release"],
        at_once=shared["at_once"],
    )
    if opts["json_file"] != "-":
        click.echo(render_judging(done, command, verbose=opts["verbose"]), nl=False)
    return done


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
