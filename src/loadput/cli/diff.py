"""``loadput diff``: what an overlay replaces."""

from __future__ import annotations

from typing import Any

import click

from .options import program_options


@click.command("diff")
@click.argument("label", required=False)
@click.option("--no-doc", is_flag=True, help="leave docstrings out")
@program_options()
def command(label: str | None, no_doc: bool, **opts: Any) -> None:
    """The functions that the layers of a program replace, old against new.

    LABEL shows one layer only, such as design:A, arch:svm, release:v6.1.
    """
    import difflib

    from ..base.errors import LinkError
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
        a, b = (_body(d, no_doc) for d in (r.before, r.after))
        click.echo(f"{r.name}: {r.after.origin} over {r.before.origin}")
        rows = difflib.unified_diff(a, b, str(r.before.span), str(r.after.span), lineterm="", n=2)
        for line in list(rows)[2:]:
            click.echo(f"  {line}")
        click.echo()


def _body(d: Any, no_doc: bool) -> list[str]:
    from ..link.overlay import source_line

    rows = []
    for n in range(d.span.line, (d.end_line or d.span.line) + 1):
        rows.append(source_line(type(d.span)(d.span.file, n)) or "")
    return _without_docstring(rows) if no_doc and d.doc else rows


def _without_docstring(rows: list[str]) -> list[str]:
    import ast

    try:
        function = ast.parse("\n".join(rows)).body[0]
    except SyntaxError:
        return rows
    assert isinstance(function, ast.FunctionDef)
    doc = function.body[0]
    return rows[: doc.lineno - 1] + rows[doc.end_lineno :]
