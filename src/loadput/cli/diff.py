"""``loadput diff``: what an overlay replaces."""

from __future__ import annotations

from typing import Any

import click

from .options import program_options


@click.command("diff")
@click.argument("label", required=False)
@program_options()
def command(label: str | None, **opts: Any) -> None:
    """The functions that the layers of a program replace, old against new.

    LABEL shows one layer only, such as design:A, arch:svm, release:v6.1.
    """
    import difflib

    from ..base.errors import LinkError
    from ..link.overlay import SPEC
    from ..link.program import link
    from ..link.scenario import load_scenario
    from .options import make_choice

    if label:
        kind, _, name = label.partition(":")
        if kind in ("arch", "design", "release", "twin") and name:
            opts[kind] = name
    p = link(make_choice(opts), load_scenario(opts["scenario"]))
    known = sorted({r.after.origin for r in p.replaced})
    if label and label not in known:
        raise LinkError(
            "LP0401", f"no layer '{label}' replaces anything", available=", ".join(known)
        )
    for r in p.replaced:
        if label and r.after.origin != label:
            continue
        a, b = (_body(SPEC, d) for d in (r.before, r.after))
        click.echo(f"{r.name}: {r.after.origin} over {r.before.origin}")
        rows = difflib.unified_diff(a, b, str(r.before.span), str(r.after.span), lineterm="", n=2)
        for line in list(rows)[2:]:
            click.echo(f"  {line}")
        click.echo()


def _body(spec: Any, d: Any) -> list[str]:
    from ..link.overlay import source_line

    rows = []
    for n in range(d.span.line, (d.end_line or d.span.line) + 1):
        rows.append(source_line(type(d.span)(d.span.file, n)) or "")
    return rows
