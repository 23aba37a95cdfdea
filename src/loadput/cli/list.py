"""``loadput list``: what there is, one line and the source of each."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

from .options import overlays_option


@click.command("list")
@click.argument(
    "what",
    required=False,
    type=click.Choice(
        ["archs", "designs", "releases", "twins", "museum", "scenarios", "properties"]
    ),
)
@overlays_option
def command(what: str | None, overlays: tuple[str, ...]) -> None:
    """Architectures, designs, releases, scenarios, properties."""
    from ..link.overlay import find_overlays
    from ..link.scenario import list_scenarios, load_scenario

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
        for name, v in find_overlays(kind, *(Path(p) for p in overlays)).items():
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
