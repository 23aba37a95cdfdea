"""``loadput explore``: a page to step through a program's states, served here or as a file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import InputError, LoadputError
from ..base.output import say, store
from .interrupt import end_softly
from .options import (
    Names,
    OutputFile,
    engine_options,
    keep_inputs,
    make_choice,
    make_kept,
    program_options,
    program_words,
)

if TYPE_CHECKING:
    from ..check.verdict import Result
    from ..explore.subject import Subject
    from ..link.program import Choice
    from ..link.scenario import Scenario


@click.command("explore")
@click.argument("inputs", nargs=-1, type=click.Path())
@program_options(arch="svm")
@engine_options
@click.option("--tree", type=click.Path(file_okay=False), help="a kernel source tree: its C beside")
@click.option(
    "--beside", default="", help="another design on the same schedule: DESIGN or RELEASE:DESIGN;"
    " default: without the twin, or the release's own design",
)  # fmt: skip
@click.option(
    "--property",
    "props",
    multiple=True,
    type=Names("property"),
    help="only this one; may be repeated",
)
@click.option(
    "--html", "html_file", type=OutputFile(stdout=False),
    help="write the page to a file that needs no server, and end",
)  # fmt: skip
def command(inputs: tuple[str, ...], **opts: Any) -> None:
    """Step through a program's states: what may come next, what may not and why, what holds.

    The page is served on 127.0.0.1 until Ctrl-C, while the check runs beside; --html writes it to a
    file, with the counterexamples and what fits of the space around them in 2 MB. INPUTS are what
    check takes: the program with them on top is explored. Exit code: 0, 2 bad input or output, 3
    internal error.
    """
    from ..explore.prepare import learn, prepare
    from ..link.scenario import load_scenario

    keep_inputs((opts["html_file"],), (*inputs, opts["scenario"]))
    if "," in opts["arch"] or opts["arch"] == "all":
        raise InputError(
            "LP0532", f"--arch {opts['arch']}", got=opts["arch"], expected="one architecture"
        )
    opts["kept"] = make_kept(opts)
    scenario = load_scenario(opts["scenario"])
    choice = make_choice(opts)
    found = _with_inputs(inputs, opts) if inputs else None
    if found is not None:
        choice, scenario = found.choice, found.scenario
    fused = " --no-fuse" if opts["no_fuse"] else ""
    subject = prepare(
        choice,
        scenario,
        command=program_words("explore", choice, opts["scenario"], *inputs) + fused,
        # C of one's own is no part of a command line that others could repeat.
        replay="" if inputs else program_words("replay", choice, opts["scenario"]) + fused,
        beside=_beside(opts, choice),
        tree=Path(opts["tree"]) if opts["tree"] and not inputs else None,
        fusing=not opts["no_fuse"],
    )
    if opts["html_file"]:
        from ..explore.offline import render_file

        end_softly()
        found = found or _check(choice, scenario, opts)
        subject = learn(subject, found, opts["props"])
        store(opts["html_file"], render_file(subject).encode())
        say(f"wrote {opts['html_file']}: {subject.title}")
        return
    _serve(subject, choice, scenario, found, opts)


def _serve(
    subject: Subject, choice: Choice, scenario: Scenario, found: Result | None, opts: dict[str, Any]
) -> None:
    try:
        from ..explore.server import serve
    except ImportError as e:
        raise InputError(
            "LP0533",
            f"explore needs {e.name}, which is not installed",
            expected="starlette and uvicorn",
            next="pip install 'loadput[explore]'; or loadput explore --html FILE, which needs none",
        ) from None

    def check() -> None:
        try:
            result = found or _check(choice, scenario, opts)
            subject.learn(result, opts["props"])
        except LoadputError as e:
            subject.verdict = f"not checked: {e.what}"

    beside = threading.Thread(target=check, daemon=True)
    beside.start()

    def tell(address: str) -> None:
        click.echo(f"{address}\nserved until Ctrl-C; the check runs beside it")

    serve(subject, tell, is_done=lambda: not beside.is_alive())


def _check(choice: Choice, scenario: Scenario, opts: dict[str, Any]) -> Result:
    from .check import run

    return run(choice, scenario, opts)


def _with_inputs(inputs: tuple[str, ...], opts: dict[str, Any]) -> Result:
    """The program with the user's C on top, decided as check does."""
    from ..api import judge
    from .check import run_bounded

    source = click.get_current_context().get_parameter_source("scenario")
    named = source is not click.core.ParameterSource.DEFAULT
    done = judge(
        inputs,
        tree=opts["tree"],
        arch=opts["arch"],
        scenario=opts["scenario"] if named else "",
        base=opts["release"],
        choice=make_choice(opts),
        decide=lambda c, s, how, most: run_bounded(c, s, opts, how, most),
    )
    results = [j.result for j in done.judging.judged if j.result is not None]
    if not results:
        raise InputError(
            "LP0534",
            "nothing of the input is modelled: there is no program to explore",
            next=f"loadput check {' '.join(inputs)} says why",
        )
    return max(results, key=lambda r: r.verdict == "violated")


def _beside(opts: dict[str, Any], choice: Choice) -> Choice | None:
    from dataclasses import replace

    if not opts["beside"]:
        return None
    first, colon, second = opts["beside"].partition(":")
    release, design = (first, second) if colon else ("", first)
    return replace(choice, release=release or choice.release, design=design, twin="")
