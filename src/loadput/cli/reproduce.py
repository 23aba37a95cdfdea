"""``loadput reproduce``: from a counterexample to an experiment on a real kernel."""

from __future__ import annotations

import click


@click.command("reproduce")
@click.argument("source", metavar="COUNTEREXAMPLE.json|FINDING")
@click.option("--property", "name", default="", help="which counterexample; the first by default")
@click.option("-o", "--output", default="", help="the folder to write; default: reproduce-NAME")
def command(source: str, name: str, output: str) -> None:
    """Write a folder with a program that forces a counterexample's schedule, as far as user space
    can; a module that holds threads in the kernel, where it cannot; and a page that says which
    steps are forced, which are hoped for, and what would refute it.

    The counterexample is one that `check --json FILE` wrote, or that of a page of docs/findings.
    """
    from pathlib import Path

    from ..api import reproduce
    from ..report.reproduced import render_reproduction
    from ..reproduce import check_folder

    folder = check_folder(output or f"reproduce-{Path(source).stem}")
    made = reproduce(source, property=name)
    made.write(folder)
    click.echo(render_reproduction(made, str(folder)), nl=False)
