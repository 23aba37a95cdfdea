"""``loadput sweep``: a plan of many programs, patches or recordings."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .interrupt import INTERRUPTED
from .options import OutputFile, keep_inputs, no_cache_option, say_kept

if TYPE_CHECKING:
    from ..sweep.sweep import Engine

DASK = "dask://"


@click.command("sweep")
@click.argument("plan", type=click.Path(dir_okay=False))
@click.option("--on", "where", default="local", show_default=True, help="or dask://HOST:PORT")
@click.option(
    "--workers", type=click.IntRange(min=1), help="processes of local; default: one a core"
)
@click.option("--json", "json_file", type=OutputFile(), help="- is stdout")
@click.option("--html", "html_file", type=OutputFile(stdout=False), help="the table as a page")
@no_cache_option
def command(
    plan: str,
    where: str,
    workers: int | None,
    json_file: str | None,
    html_file: str | None,
    no_cache: bool,
) -> None:
    """Decide every cell of PLAN, a TOML file, as a job of its own: docs/sweep.md.

    What was done is kept as it comes: the same command goes on where another was ended. Exit code:
    1 a violation or a divergence, 2 bad input or a job without a verdict, 3 a job failed, 4 not
    decided, 130 interrupted.
    """
    from ..base.kept import Shelf
    from ..base.output import say, store
    from ..report.json import encode
    from ..sweep.plan import read_plan
    from ..sweep.shown import render_page, render_sweep, sweep_json
    from ..sweep.sweep import SHELF, sweep

    keep_inputs((json_file, html_file), (plan,))
    engine = _engine(where, workers, not no_cache)
    jobs = read_plan(plan)
    shelf = None if no_cache else Shelf(SHELF)
    done = sweep(jobs, engine, shelf=shelf, progress=_progress())
    if json_file:
        store(json_file, encode(sweep_json(done)))
    if json_file != "-":
        click.echo(render_sweep(done, shlex.join(["loadput", "sweep", plan])), nl=False)
    if html_file:
        store(html_file, render_page(done, Path(plan).stem).encode())
        say(f"wrote {html_file}")
    say_kept(done.found, len(jobs))
    sys.exit(INTERRUPTED if done.interrupted else done.exit_code)


def _engine(where: str, workers: int | None, keep: bool) -> Engine:
    if where.startswith(DASK):
        from ..sweep.cluster import run_on

        return partial(run_on, where.removeprefix(DASK), keep=keep)
    if where != "local":
        raise click.BadParameter(f"{where!r}: local, or dask://HOST:PORT", param_hint="--on")
    from ..sweep.here import run_here

    count = workers or len(os.sched_getaffinity(0))
    return partial(run_here, count=count, keep=keep)


def _progress() -> Callable[[int, int, float], None] | None:
    if not sys.stderr.isatty():
        return None

    def show(done: int, of: int, seconds: float) -> None:
        rate = done / seconds if seconds else 0.0
        left = (of - done) / rate if rate else 0.0
        end = "\n" if done == of else ""
        line = f"{done} of {of} jobs, {60 * rate:.1f} a minute, {left:.0f} s left"
        sys.stderr.write(f"\r{line:78s}\r{end}")
        sys.stderr.flush()

    return show
