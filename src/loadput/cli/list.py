"""``loadput list``: what there is, one line and the source of each; what one may name."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from .options import OutputFile, make_choice, overlay_folders, overlays_option

VOCABULARY = ("state", "functions", "constants")


@click.command("list")
@click.argument(
    "what",
    required=False,
    type=click.Choice(
        ["archs", "designs", "releases", "twins", "museum", "scenarios", "properties", *VOCABULARY]
    ),
)
@click.option("--arch", default="", help="of state, functions, constants; default: what all have")
@click.option("--design", default="", help="of state and functions")
@click.option("--release", default="", help="of state and functions; default: v7.3")
@click.option(
    "--json", "json_file", type=OutputFile(),
    help="state, functions, constants as JSON; - is stdout",
)  # fmt: skip
@overlays_option
def command(what: str | None, **opts: Any) -> None:
    """Architectures, designs, releases, scenarios, properties; what an overlay may name.

    STATE are the structs, variables and registers, FUNCTIONS what there is to call or replace,
    CONSTANTS what a scenario may set.
    """
    if what in VOCABULARY:
        _vocabulary(what, opts)
        return
    for name in ("arch", "design", "release", "json_file"):
        if opts[name]:
            option = name.partition("_")[0]
            raise click.UsageError(f"--{option} is for {', '.join(VOCABULARY)}")
    _names(what, opts["overlays"])


def _vocabulary(what: str, opts: dict[str, Any]) -> None:
    """What the layers of one program declare, or of every architecture."""
    from ..base.output import store
    from ..link.overlay import known_archs
    from ..link.vocabulary import COMMON, iter_elsewhere, list_settable, read_vocabulary
    from ..report import vocabulary as report
    from ..report.json import encode

    archs = [] if opts["arch"] in ("", "all") else [opts["arch"]]
    if what == "constants":
        search = overlay_folders(opts)
        rows = list_settable(archs or known_archs(*search), search)
        text, data = report.render_constants(rows), report.constants_json(rows)
    else:
        choice = make_choice({**opts, "arch": COMMON, "twin": ""}, *archs)
        v = read_vocabulary(choice)
        if what == "state":
            text, data = report.render_state(v, iter_elsewhere(choice)), report.state_json(v)
        else:
            text, data = report.render_functions(v), report.functions_json(v)
    if opts["json_file"]:
        store(opts["json_file"], encode(data))
    if opts["json_file"] != "-":
        click.echo(text, nl=False)


def _names(what: str | None, overlays: tuple[str, ...]) -> None:
    from ..link.overlay import find_overlays
    from ..link.scenario import list_scenarios, load_scenario

    search = overlay_folders({"overlays": overlays})
    for title, kind in (
        ("archs", "arch"),
        ("designs", "design"),
        ("releases", "release"),
        ("twins", "twin"),
        ("museum", "museum"),
    ):
        if what not in (None, title):
            continue
        click.echo(f"{title}")
        for name, v in find_overlays(kind, *search).items():
            if not v.abstract:
                first = v.doc.strip().split("\n")[0]
                _row(name, f"{first} [{v.source}]" if v.source else first)
    if what in (None, "scenarios"):
        click.echo("scenarios")
        for name in list_scenarios():
            _row(name, load_scenario(name).title)
    if what in (None, "properties"):
        from ..api import all_properties

        click.echo("properties")
        for p in all_properties().values():
            _row(p.name, f"{p.sentence} [{p.source}]")


def _row(name: str, text: str) -> None:
    for i, line in enumerate(textwrap.wrap(text, 46, break_long_words=False)):
        head = name if i == 0 else ""
        if i == 0 and len(head) > 23:
            click.echo(f"  {head}")
            head = ""
        click.echo(f"  {head:24s}{line}".rstrip())
