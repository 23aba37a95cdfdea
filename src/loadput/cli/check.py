"""``loadput check``: every property, every interleaving, of our programs or with your C on top."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import Interrupted
from ..base.output import say, store
from .interrupt import INTERRUPTED, end_softly, interrupted
from .options import (
    EXIT,
    Names,
    OutputFile,
    engine_options,
    keep_inputs,
    make_choice,
    make_kept,
    make_limits,
    make_reduce,
    overlay_folders,
    program_options,
    progress_for,
    reduction_words,
    say_kept,
)

if TYPE_CHECKING:
    from ..check.verdict import Result
    from ..link.program import Choice
    from ..link.scenario import Scenario
    from ..run.exploration import Limits


@click.command("check")
@click.argument("inputs", nargs=-1, type=click.Path())
@program_options(arch="")
@engine_options
@click.option("--tree", type=click.Path(file_okay=False), help="a kernel source tree")
@click.option(
    "--repo", default="", type=click.Path(file_okay=False),
    help="a git repository: INPUTS are REV or REV..REV, each commit judged on its parent",
)  # fmt: skip
@click.option("--base", default="", help="compare with this program: RELEASE[:DESIGN]")
@click.option(
    "--property",
    "props",
    multiple=True,
    type=Names("property"),
    help="report only this one; may be repeated",
)
@click.option("--json", "json_file", type=OutputFile(), help="write JSON here; - is stdout")
@click.option(
    "--html", "html_file", type=OutputFile(stdout=False),
    help="draw the shortest counterexample as a page",
)  # fmt: skip
@click.option(
    "--memory", type=click.Choice(["sc", "tso", "weak"]), default="sc", show_default=True,
    help="sequentially consistent; as x86 and s390 have it; on the others weak, which finds bugs "
    "and never says holds: docs/memory.md",
)  # fmt: skip
@click.option("--stats", is_flag=True, help="sizes, times, what fusing saves, what never happened")
@click.option("-v", "--verbose", is_flag=True, help="every counterexample, every step")
def command(inputs: tuple[str, ...], **opts: Any) -> None:
    """Decide every property over every interleaving, in one exploration.

    INPUTS are mails, mbox series, diffs, C files or directories of patches, each on what those
    before it left; - is standard input. Exit code: 0 holds, 1 a finding (with a base: a new one), 2
    bad input or output, 3 internal error, 4 not decided or not judged, 130 interrupted: what was
    decided by then is said.
    """
    from ..check.verdict import memories_of
    from ..link.overlay import expand_archs

    keep_inputs((opts["json_file"], opts["html_file"]), (*inputs, opts["scenario"]))
    end_softly()
    source = click.get_current_context().get_parameter_source("scenario")
    opts["scenario_named"] = source is not click.core.ParameterSource.DEFAULT
    opts["kept"] = make_kept(opts)
    opts["arch"] = opts["arch"] or ("all" if inputs or opts["tree"] else "svm")
    archs = expand_archs(opts["arch"], *overlay_folders(opts))
    if opts["arch"] == "all":
        archs = [a for a in archs if opts["memory"] in memories_of(a, overlay_folders(opts))]
    if inputs or opts["tree"] or opts["repo"]:
        sys.exit(_judge(inputs, archs, opts))
    from ..link.scenario import load_scenario
    from ..report.text import render_not_begun

    scenario = load_scenario(opts["scenario"])
    lacking = _not_for(archs, scenario, opts) if opts["arch"] == "all" else {}
    results: list[Result] = []
    with contextlib.suppress(Interrupted):
        for arch in [a for a in archs if a not in lacking]:
            choice = make_choice(opts, arch)
            before = run(_base(opts, choice), scenario, opts) if opts["base"] else None
            results.append(run(choice, scenario, opts, before))
            if opts["json_file"] != "-":
                click.echo("\n" if len(results) > 1 else "", nl=False)
                _show(results[-1], arch, opts)
    left = [a for a in archs if a not in lacking][len(results) :]
    if left and not interrupted() and opts["json_file"] != "-":
        click.echo(render_not_begun(left, again(opts, ",".join(left))), nl=False)
    if lacking and opts["json_file"] != "-":
        from ..report.text import render_left_out

        click.echo(render_left_out(lacking), nl=False)
    if opts["json_file"]:
        from ..report.json import SCHEMA, encode, program_result

        store(
            opts["json_file"],
            encode({"schema": SCHEMA, "programs": [program_result(r) for r in results]}),
        )
    draw(opts, results, again(opts, opts["arch"]))
    _say_kept(opts)
    codes = [exit_code(r, bool(opts["base"])) for r in results] + [4 for _ in left]
    code = max(codes, key=_severity, default=4)
    sys.exit(INTERRUPTED if interrupted() else code)


def _show(r: Result, arch: str, opts: dict[str, Any]) -> None:
    from ..report.stats import render_stats
    from ..report.text import render_result

    text = render_result(r, command=again(opts, arch), verbose=opts["verbose"])
    click.echo(text + (render_stats(r) if opts["stats"] else ""), nl=False)


def _judge(inputs: tuple[str, ...], archs: list[str], opts: dict[str, Any]) -> int:
    """The user's C, commits, or a tree alone; returns the exit code."""
    from ..report.json import encode
    from .judging import run_judging, run_range, tree_alone

    if opts["repo"] or not inputs:
        if opts["repo"]:
            code, rows = run_range(inputs, archs, opts, run_bounded)
        else:
            code, rows = tree_alone(archs, opts)
        if opts["json_file"]:
            store(opts["json_file"], encode(rows))
        _say_kept(opts)
        return code
    command = again(opts, opts["arch"], inputs)
    done = run_judging(inputs, archs, opts, run_bounded, command)
    if opts["json_file"]:
        store(opts["json_file"], encode(done.json()))
    judged = done.judging.judged
    draw(opts, [j.result for j in judged if j.result is not None], command)
    _say_kept(opts)
    return INTERRUPTED if interrupted() else done.exit_code


def run_bounded(
    choice: Choice, scenario: Any, opts: dict[str, Any], opaque: str, most: int | None
) -> Result:
    """Decide one program of a patch, within the bounds of one."""
    from ..check.bounds import bounded

    return run(choice, scenario, opts, opaque=opaque, limits=bounded(make_limits(opts), most))


def _not_for(archs: list[str], scenario: Scenario, opts: dict[str, Any]) -> dict[str, str]:
    """Of ``all``, those that lack a constant or an actor of the scenario, with what they lack.

    Raises the error of the first where each does.
    """
    from ..base.errors import ScenarioError
    from ..link.program import link

    out: dict[str, ScenarioError] = {}
    for arch in archs:
        try:
            link(make_choice(opts, arch), scenario)
        except ScenarioError as e:
            out[arch] = e
    if len(out) == len(archs):
        raise out[archs[0]]
    return {arch: e.what for arch, e in out.items()}


def _severity(code: int) -> int:
    return {0: 0, 4: 1, 1: 2}[code]


def exit_code(r: Result, has_base: bool) -> int:
    """0 holds, 1 a finding (with a base, a new one), 4 not decided."""
    if has_base:
        if any(p.blame == "new with this change" for p in r.properties):
            return 1
        return 4 if any(p.verdict == "not decided" for p in r.properties) else 0
    return EXIT[r.verdict]


def _base(opts: dict[str, Any], choice: Choice) -> Choice:
    import dataclasses

    release, _, design = opts["base"].partition(":")
    return dataclasses.replace(choice, release=release, design=design, twin="")


def run(
    choice: Choice,
    scenario: Any,
    opts: dict[str, Any],
    base: Any = None,
    opaque: str = "any",
    limits: Limits | None = None,
) -> Result:
    """Decide one program as the options ask."""
    from ..check.verdict import check

    return check(
        choice,
        scenario,
        properties=opts["props"],
        engine=opts["engine"],
        limits=limits or make_limits(opts),
        fusing=not opts["no_fuse"],
        forgetting=not opts["no_forget"],
        reduce=make_reduce(opts),
        progress=progress_for(choice.title),
        base=base,
        opaque=opaque,
        kept=opts["kept"],
    )


def _say_kept(opts: dict[str, Any]) -> None:
    if opts["kept"] is not None:
        say_kept(opts["kept"].shelf.found, opts["kept"].shelf.asked)


def draw(opts: dict[str, Any], results: list[Result], command: str) -> None:
    """The page that ``--html`` asks for."""
    if opts["html_file"]:
        from .drawing import draw_counterexample

        where = opts["html_file"]
        drawn = draw_counterexample(results, where, command)
        say(f"wrote {where}" if drawn else f"no counterexample: {where} not written")


def again(opts: dict[str, Any], arch: str, inputs: tuple[str, ...] = ()) -> str:
    """The command that gives this report again."""
    import shlex

    words = ["loadput", "check", *inputs, "--arch", arch]
    for key in ("design", "release", "twin", "base", "tree", "repo"):
        if opts.get(key):
            words += [f"--{key}", str(opts[key])]
    for key in ("overlays", "property"):
        for value in opts["props" if key == "property" else key]:
            words += [f"--{key}", value]
    if opts["scenario"] != "default" or (inputs and opts.get("scenario_named")):
        words += ["--scenario", opts["scenario"]]
    words += ["--memory", opts["memory"]] if opts["memory"] != "sc" else []
    words += [f"--{w}" for w in ("no-fuse", "no-forget") if opts[w.replace("-", "_")]]
    for key in ("max_states", "max_memory", "max_time"):
        if opts[key] is not None:
            words += [f"--{key.replace('_', '-')}", str(opts[key]).removesuffix(".0")]
    words += ["--stop-at-first"] if opts["stop_at_first"] else []
    words += reduction_words(opts)
    return shlex.join(words)
