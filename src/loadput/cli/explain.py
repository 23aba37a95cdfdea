"""``loadput explain``: a property, or an error code."""

from __future__ import annotations

import re

import click


@click.command("explain")
@click.argument("name")
def command(name: str) -> None:
    """What a property says, where it comes from, what violates it; or what an error code means."""
    from ..base.errors import LoadputError

    if re.fullmatch(r"LP\d{4}", name.upper()):
        from ..report.codes import CODES

        text = CODES.get(name.upper())
        if text is None:
            raise LoadputError("LP0506", f"no error code {name}", available=", ".join(CODES))
        click.echo(f"{name.upper()}  {text}")
        return
    from ..api import all_properties
    from ..report.explained import render_property

    click.echo(render_property(name.upper().replace("_", "-"), all_properties()), nl=False)
