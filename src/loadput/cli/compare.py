"""``loadput compare``: designs against architectures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .interrupt import INTERRUPTED, end_softly, interrupted
from .options import (
    OutputFile,
    engine_options,
    keep_inputs,
    make_kept,
    make_limits,
    make_reduce,
    overlay_folders,
    overlays_option,
    progress_for,
    reduction_words,
    say_kept,
    share_cores,
)

ARCHS = "svm,vmx,arm64,riscv,loongarch,mips,powerpc,s390"

if TYPE_CHECKING:
    from ..check.verdict import Result
    from ..link.program import Choice


@click.command("compare")
@click.option("--design", "designs", default="A,B,C,D", show_default=True)
@click.option("--arch", "archs", default=ARCHS, show_default=True, help="or all")
@click.option("--release", default="", help="default: v7.3")
@click.option("--scenario", default="default", show_default=True, help="a name or a TOML file")
@overlays_option
@engine_options
@click.option("--json", "json_file", type=OutputFile(), help="- is stdout")
def command(designs: str, archs: str, release: str, scenario: str, **opts: Any) -> None:
    """Decide every design on every architecture, and count what each asks of the arch code.

    The exit code is 1 where a design violates what the scenario's file does not say of the
    release as it is, 4 where one is not decided.
    """
    from ..base.output import store
    from ..check.compare import compare, work_out
    from ..check.verdict import check
    from ..link.layers import Choice
    from ..link.overlay import expand_archs, known_archs
    from ..link.scenario import load_scenario
    from ..report.compared import comparison_json, render_comparison
    from ..report.json import encode
    from ..run.exploration import Known

    keep_inputs((opts["json_file"],), (scenario,))
    end_softly()
    fixed = load_scenario(scenario)
    names = tuple(d.strip() for d in designs.split(",") if d.strip())
    search = overlay_folders(opts)
    on = tuple(expand_archs(archs, *search))
    shared = share_cores(opts, len(names) * len(on))
    limits, known, kept = make_limits(shared), Known(), make_kept(opts)

    def run(choice: Choice) -> Result:
        return check(
            choice,
            fixed,
            engine=opts["engine"],
            limits=limits,
            fusing=not opts["no_fuse"],
            forgetting=not opts["no_forget"],
            reduce=make_reduce(opts),
            progress=progress_for(choice.title),
            known=known,
            kept=kept,
        )

    c = compare(
        fixed,
        run,
        designs=names,
        archs=on,
        release=release or Choice().release,
        search=search,
        at_once=shared["at_once"],
        fact=kept.fact if kept else work_out,
    )
    if json_file := opts["json_file"]:
        store(json_file, encode(comparison_json(c)))
    if json_file != "-":
        words = _again(designs, archs, release, scenario, opts)
        left = [a for a in known_archs(*search) if a not in on] if archs == ARCHS else []
        click.echo(render_comparison(c, command=words, left_out=left), nl=False)
    if kept is not None:
        say_kept(kept.shelf.found, kept.shelf.asked)
    sys.exit(INTERRUPTED if interrupted() else c.exit_code)


def _again(designs: str, archs: str, release: str, scenario: str, opts: dict[str, Any]) -> str:
    """The command that gives this table again."""
    words = ["loadput compare"]
    words += [f"--design {designs}"] if designs != "A,B,C,D" else []
    words += [f"--arch {archs}"] if archs != ARCHS else []
    words += [f"--release {release}"] if release else []
    words += [f"--scenario {scenario}"] if scenario != "default" else []
    words += [f"--overlays {folder}" for folder in opts["overlays"]]
    return " ".join(words + reduction_words(opts))
