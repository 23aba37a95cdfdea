"""``loadput conform``: does a recorded kernel do what the specification says."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..base.errors import TimeUp
from ..base.output import STDOUT, say, store
from .options import OutputFile, keep_inputs, max_time_option, overlay_folders

if TYPE_CHECKING:
    from loadput.conform import Conformance
    from loadput.trace import Trace


@click.command("conform")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--release", default="", help="Only this release; default: try each, name what fits.")
@click.option("--arch", default="", help="svm, vmx, arm64 or riscv; default: by the recording.")
@click.option("--twin", default="", help="An overlay laid over the release.")
@click.option(
    "--overlays", multiple=True, type=click.Path(exists=True, file_okay=False),
    help="a folder with overlays of your own; may be repeated",
)  # fmt: skip
@click.option("--file", "system", default="", help="Of a text that holds several recordings, one.")
@max_time_option
@click.option("--json", "json_path", type=OutputFile(), help="Write it all as JSON; - for stdout.")
def command(
    files: tuple[str, ...],
    release: str,
    arch: str,
    twin: str,
    overlays: tuple[str, ...],
    system: str,
    max_time: float | None,
    json_path: str | None,
) -> None:
    """Run the specification along recordings of real kernels and compare every flag.

    At each probe the flags of the vCPU are predicted by the functions of a release, linked as for
    check and run, and compared with what the kernel had. Exit code 0: every FILE conforms; 1: a
    divergence; 2: bad input, nothing to compare; 4: not decided.
    """
    from loadput.conform import conform_trace

    keep_inputs((json_path,), files)
    results: list[Conformance] = []
    left: list[str] = []
    for name in files:
        try:
            result = conform_trace(
                _open(name, system), release=release, arch=arch, twin=twin,
                search=overlay_folders({"overlays": overlays}),
            )  # fmt: skip
        except TimeUp:
            left = list(files[len(results) :])
            break
        given = [("--release", release), ("--arch", arch), ("--twin", twin)]
        given += [("--overlays", p) for p in overlays] + [("--file", system)]
        words = [w for option, value in given if value for w in (option, value)]
        result.command = shlex.join(["loadput", "conform", name, *words])
        results.append(result)
    _report(results, json_path)
    if left:
        say(f"not decided: {', '.join(left)}: the time was up")
    codes = {r.exit_code for r in results} | ({4} if left else set())
    sys.exit(1 if 1 in codes else max(codes))


def _open(name: str, system: str) -> Trace:
    from loadput.trace import read_trace

    if not sys.stderr.isatty():
        return read_trace(name, file=system)
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(Path(name).name, total=1.0)
    with bar:
        trace = read_trace(
            name, file=system, progress=lambda done, all_: bar.update(task, completed=done / all_)
        )
        trace.events()
    return trace


def _report(results: list[Conformance], json_path: str | None) -> None:
    import msgspec

    from loadput.conform.text import render_conformance

    if json_path:
        data = msgspec.json.format(msgspec.json.encode(results), indent=1)
        store(json_path, data + b"\n")
        if json_path == STDOUT:
            return
    rule = "\n" + "=" * 72 + "\n\n"
    click.echo(rule.join(render_conformance(r) for r in results), nl=False)
