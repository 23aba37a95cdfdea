"""``loadput diff``: what an overlay replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import program_options

if TYPE_CHECKING:
    from ..link.program import Program


@click.command("diff")
@click.argument("label", required=False)
@click.option("--no-doc", is_flag=True, help="leave docstrings out")
@program_options()
def command(label: str | None, no_doc: bool, **opts: Any) -> None:
    """The functions that the layers of a program replace, old against new.

    LABEL shows one layer only, such as design:A, arch:svm, release:v6.1.
    """
    from ..base.errors import LinkError
    from ..link.program import link
    from ..link.scenario import load_scenario
    from .options import make_choice

    if label:
        kind, _, name = label.partition(":")
        if kind in ("arch", "design", "release", "twin", "museum") and name:
            opts["twin" if kind == "museum" else kind] = name
    p = link(make_choice(opts), load_scenario(opts["scenario"]))
    known = sorted({r.after.origin for r in p.replaced})
    if label and label not in known:
        raise LinkError(
            "LP0401", f"no layer '{label}' replaces anything", available=", ".join(known)
        )
    click.echo(render_difference(p, label, no_doc=no_doc), nl=False)


def render_difference(p: Program, label: str | None = None, *, no_doc: bool = False) -> str:
    """What the layer ``label``, or every layer, replaces: function by function."""
    import difflib

    out = []
    for r in p.replaced:
        if label and r.after.origin != label:
            continue
        a, b = (_body(d, no_doc) for d in (r.before, r.after))
        out.append(f"{r.name}: {r.after.origin} over {r.before.origin}")
        rows = difflib.unified_diff(a, b, str(r.before.span), str(r.after.span), lineterm="", n=2)
        out += [f"  {line}".rstrip() for line in list(rows)[2:]]
        out.append("")
    return "\n".join([*out, ""]) if out else ""


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
