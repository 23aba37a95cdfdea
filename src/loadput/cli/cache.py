"""``loadput cache``: what is kept on this machine, how much of it, and an end to it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import OutputFile

if TYPE_CHECKING:
    from ..base.kept import Entry

KINDS = {
    "code": "machine code of searches, by its text and the processor",
    "results": "of checks, by the program, the scenario and the options",
    "sweep": "of sweeps, a job each",
    "trace-loops.bin": "machine code that reads recordings",
}


@click.command("cache")
@click.option("--clear", is_flag=True, help="take all of it away")
@click.option("--json", "json_file", type=OutputFile(), help="- is stdout")
def command(clear: bool, json_file: str | None) -> None:
    """Say what is kept from one command to the next: kinds, files, bytes, last use.

    It lies in $XDG_CACHE_HOME/loadput, or ~/.cache/loadput. Whatever is missing there is worked out
    again; --clear takes it all away. Exit code: 0, 2 where something cannot be taken away.
    """
    from ..base.errors import OutputError
    from ..base.kept import cache_folder, entries
    from ..base.output import store
    from ..report.json import SCHEMA, encode

    folder = cache_folder()
    found = list(entries(folder)) if folder is not None else []
    rows = _rows(folder, found) if folder is not None else []
    for e in found if clear else ():
        try:
            e.path.unlink(missing_ok=True)
        except OSError as x:
            raise OutputError(
                "LP0520", f"cannot take {e.path} away: {x.strerror}", where=str(e.path),
                expected="a cache of your own", next=f"look at who owns {e.path.parent}",
            ) from None  # fmt: skip
        with contextlib.suppress(OSError):  # it may hold others
            e.path.parent.rmdir()
    if json_file:
        store(
            json_file,
            encode(
                {"schema": SCHEMA, "folder": str(folder or ""), "cleared": clear, "kinds": rows}
            ),
        )
    if json_file != "-":
        click.echo(_text(folder, rows, clear), nl=False)


def _rows(folder: Path, found: Iterable[Entry]) -> list[dict[str, Any]]:
    by: dict[str, list[Entry]] = {}
    for e in found:
        by.setdefault(e.path.relative_to(folder).parts[0], []).append(e)
    return [
        {
            "kind": kind,
            "files": len(es),
            "bytes": sum(e.bytes for e in es),
            "used": time.strftime("%Y-%m-%d", time.gmtime(max(e.used_s for e in es))),
        }
        for kind, es in sorted(by.items())
    ]


def _text(folder: Path | None, rows: list[dict[str, Any]], clear: bool) -> str:
    if folder is None:
        return "nothing is kept: XDG_CACHE_HOME is no absolute path\n"
    out = [f"folder        {folder}", ""]
    for r in rows:
        size = f"{r['files']:>7,} files {r['bytes'] / 2**20:>8.1f} MiB"
        out.append(f"{r['kind']:18s}{size}  last used {r['used']}")
        out += [f"{'':18s}{KINDS[r['kind']]}"] if r["kind"] in KINDS else []
    out += [] if rows else ["nothing is kept"]
    out += ["", "taken away"] if clear and rows else []
    return "\n".join(out) + "\n"
