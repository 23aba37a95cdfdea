"""``loadput check`` with C of the user's: a mail, a series, a diff, C files, a tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .check import _run, again, exit_code, write_json
from .options import make_choice

if TYPE_CHECKING:
    from ..check.judge import Base, Judgement
    from ..lang.syntax import Def
    from ..link.program import Choice
    from ..link.scenario import Scenario


def run_judging(inputs: tuple[str, ...], archs: list[str], opts: dict[str, Any]) -> int:
    """Judge every input on every architecture; return the exit code."""
    import dataclasses

    from ..check.judge import RELEASES, Base, choose_base, fields_unknown_before, judge
    from ..lang.inputs import read_input
    from ..link.program import link
    from ..link.scenario import load_scenario
    from ..report.judged import render_head, render_judgement, render_tree

    scenario = load_scenario(opts["scenario"])
    patches = [p for f in inputs for p in read_input(f, opts["tree"])]
    if not patches:
        return _tree_only(archs, opts, scenario, render_tree)
    newest = make_choice({**opts, "release": opts["release"] or RELEASES[0]}, archs[0])
    structs = set(link(newest, scenario).decls.structs)
    parsed = [(p, p.parse(structs=structs)) for p in patches]
    every = [d for _, defs in parsed for d in defs]
    if opts["release"] or opts["base"]:
        release, _, design = (opts["base"] or opts["release"]).partition(":")
        base = Base(release, "named on the command line")
        opts = {**opts, "design": design or opts["design"]}
    else:
        base = choose_base(every, scenario, archs[0], opts["design"])
    fields = fields_unknown_before(every, scenario, archs[0])
    click.echo(render_head([p for p, _ in parsed], base, fields), nl=False)
    judged: list[Judgement] = []
    for arch in archs:
        choice = make_choice({**opts, "release": base.release}, arch)
        before = None
        laid: tuple[Def, ...] = ()
        for p, defs in parsed:
            here = dataclasses.replace(
                choice, user=laid, user_label="earlier patches" if laid else ""
            )
            j = judge(
                p.title,
                defs,
                here,
                scenario,
                run=lambda c: _run(c, scenario, opts),
                before=before,
                label=p.kind,
            )
            judged.append(j)
            click.echo(render_judgement(j, verbose=opts["verbose"]), nl=False)
            laid, before = (*laid, *defs), j.result
    click.echo(_tail(inputs, opts, judged), nl=False)
    if opts["json_file"]:
        write_json(opts["json_file"], _json(judged, base, [p for p, _ in parsed]))
    return max((exit_code(j.result, True) for j in judged), key=lambda c: {0: 0, 4: 1, 1: 2}[c])


def _tail(inputs: tuple[str, ...], opts: dict[str, Any], judged: list[Judgement]) -> str:
    from ..report.text import edge, wrap

    rows = ["", *edge(judged[-1].result), *wrap("again", again(opts, opts["arch"], inputs))]
    return "\n".join(rows) + "\n"


def _json(judged: list[Judgement], base: Base, patches: list[Any]) -> bytes:
    from ..report.json import SCHEMA, encode, equivalence, program_result

    return encode(
        {
            "schema": SCHEMA,
            "base": {"release": base.release, "why": base.why},
            "inputs": [
                {
                    "title": p.title,
                    "kind": p.kind,
                    "functions": [{"name": f.name, "place": f.place} for f in p.functions],
                    "notes": list(p.notes),
                }
                for p in patches
            ],
            "programs": [
                {
                    **program_result(j.result),
                    "patch": j.patch,
                    "equivalence": [equivalence(e) for e in j.equivalences],
                    "base": program_result(j.base),
                }
                for j in judged
            ],
        }
    )


def _tree_only(archs: list[str], opts: dict[str, Any], scenario: Scenario, render: Any) -> int:
    """Every function of the program that the tree has, against ours; then the program with them."""
    from ..check.equiv import DIFFERENT
    from ..check.judge import compare_with_tree, tree_release
    from ..report.json import SCHEMA, encode, equivalence

    tree = Path(opts["tree"])
    release = opts["release"] or tree_release(tree)
    rows = []
    code = 0
    for arch in archs:
        choice: Choice = make_choice({**opts, "release": release}, arch)
        answers, defs, reasons = compare_with_tree(tree, choice, scenario)
        click.echo(render(tree, choice, answers, defs, reasons, verbose=opts["verbose"]), nl=False)
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
        write_json(opts["json_file"], encode({"schema": SCHEMA, "tree": tree.name, "archs": rows}))
    return code
