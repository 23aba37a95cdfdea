"""``loadput trace``: account for every load and put of a recording."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..base.output import STDOUT, say, store
from .options import OutputFile, keep_inputs

if TYPE_CHECKING:
    from loadput.trace import Trace
    from loadput.trace.account import Accounting


@click.command("trace")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--json", "json_path", type=OutputFile(), help="Write it all as JSON; - for stdout.")
@click.option(
    "--html", "html_path", type=OutputFile(stdout=False), help="Write a timeline page of one FILE."
)
@click.option(
    "--perfetto", type=OutputFile(stdout=False), help="Write one FILE for ui.perfetto.dev."
)
@click.option("--vm", help="Count the loads of one VM: vm0, vm1, .. or its struct kvm address.")
@click.option("--from", "start", help="Count from this time: seconds of the clock, or +seconds.")
@click.option("--to", "end", help="Count up to this time: seconds of the clock, or +seconds.")
@click.option("--ghz", type=float, help="CPU frequency of the real machine, for shares of time.")
@click.option("--costs", type=click.Path(), help="Cost table (TOML) instead of the shipped one.")
@click.option("--file", "system", default="", help="Of a text that holds several recordings, one.")
@click.option("--events", is_flag=True, help="List the events and their counts, and stop.")
def command(
    files: tuple[str, ...],
    json_path: str | None,
    html_path: str | None,
    perfetto: str | None,
    vm: str | None,
    start: str | None,
    end: str | None,
    ghz: float | None,
    costs: str | None,
    system: str,
    events: bool,
) -> None:
    """Say who loaded and put which vCPU how often and why, and what a design could skip.

    FILES are trace.dat, perf.data, ftrace's `trace`, or the text of `trace-cmd report` or
    `perf script`, also packed with xz, gz or zst. Several are reported one by one, then compared.
    """
    if (html_path or perfetto) and len(files) != 1:
        raise click.UsageError("--html and --perfetto take exactly one FILE")
    keep_inputs((json_path, html_path, perfetto), (*files, *([costs] if costs else [])))
    results = []
    for name in files:
        trace = _open(name, system)
        if events:
            _list_events(trace)
            continue
        result = _account(trace, vm, start, end, ghz, costs)
        result.command = _command(name, system, vm, start, end, ghz, costs)
        results.append(result)
        _draw(trace, result, html_path, perfetto)
    if not events:
        _report(results, json_path)


def _open(name: str, system: str) -> Trace:
    from loadput.trace import read_trace

    if not sys.stderr.isatty():
        return read_trace(name, file=system)
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(Path(name).name, total=1.0)
    with bar:

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done / total)

        trace = read_trace(name, file=system, progress=show)
        trace.events()
    return trace


def _list_events(trace: Trace) -> None:
    click.echo(trace.path)
    for name, count in trace.events().items():
        click.echo(f"{count:12,}  {name}")
    for name, count in trace.others.items():
        click.echo(f"{count:12,}  {name} (no tracepoint: not read)")
    for item in trace.missing:
        click.echo(f"missing: {item}")


def _account(
    trace: Trace,
    vm: str | None,
    start: str | None,
    end: str | None,
    ghz: float | None,
    costs: str | None,
) -> Accounting:
    from loadput.trace.account import account_trace

    return account_trace(
        trace,
        vm=vm,
        start_ns=_parse_time(trace, "--from", start),
        end_ns=_parse_time(trace, "--to", end),
        ghz=ghz,
        costs=costs,
    )


def _parse_time(trace: Trace, option: str, text: str | None) -> int | None:
    if text is None:
        return None
    from decimal import Decimal, InvalidOperation

    try:
        value = int(Decimal(text) * 10**9)
    except (InvalidOperation, ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is no number of seconds", param_hint=option) from None
    return value + trace.time_range()[0] if text.startswith("+") else value


def _command(
    name: str,
    system: str,
    vm: str | None,
    start: str | None,
    end: str | None,
    ghz: float | None,
    costs: str | None,
) -> str:
    words = ["loadput", "trace", name]
    given = {
        "--file": system or None,
        "--vm": vm,
        "--from": start,
        "--to": end,
        "--ghz": ghz,
        "--costs": costs,
    }
    for option, value in given.items():
        if value is not None:
            words += [option, str(value)]
    return shlex.join(words)


def _draw(trace: Trace, result: Accounting, html_path: str | None, perfetto: str | None) -> None:
    if html_path:
        from loadput.trace.timeline import write_html

        write_html(trace, result, html_path)
        say(f"wrote {html_path}")
    if perfetto:
        from loadput.trace.perfetto import write_perfetto

        write_perfetto(trace, perfetto)
        say(f"wrote {perfetto}")


def _report(results: list[Accounting], json_path: str | None) -> None:
    import msgspec

    from loadput.trace.account.text import render_accounting, render_comparison

    if json_path:
        data = msgspec.json.format(msgspec.json.encode(results), indent=1)
        store(json_path, data + b"\n")
        if json_path == STDOUT:
            return
    rule = "\n" + "=" * 72 + "\n\n"
    blocks = [render_accounting(result) for result in results]
    if len(results) > 1:
        blocks.append(render_comparison(results))
    click.echo(rule.join(blocks), nl=False)
