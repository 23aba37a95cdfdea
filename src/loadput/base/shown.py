"""A result in a notebook: what it is, and its rows as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any


def html_table(said: str, rows: Sequence[dict[str, Any]]) -> str:
    """``said`` above a table with a column per key of the first row; None is an empty cell."""
    head = "".join(f"<th>{escape(str(k))}</th>" for k in rows[0]) if rows else ""
    body = "".join(
        "<tr>"
        + "".join(f"<td>{'' if v is None else escape(str(v))}</td>" for v in r.values())
        + "</tr>"
        for r in rows
    )
    return f"<p><code>{escape(said)}</code></p><table><tr>{head}</tr>{body}</table>"
