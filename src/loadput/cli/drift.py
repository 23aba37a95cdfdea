"""``loadput drift``: what of the C that the specification mirrors a kernel tree has otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .options import OutputFile, max_time_option, overlay_folders, overlays_option


@click.command("drift")
@click.option(
    "--tree", required=True, type=click.Path(file_okay=False), help="a kernel source tree"
)
@click.option("--release", default="", help="default: for each architecture, the nearest")
@click.option("--arch", default="all", show_default=True, help="names with commas between")
@overlays_option
@max_time_option
@click.option(
    "--take", metavar="RELEASE", help="write the fingerprints of what was read for it there"
)
@click.option("-v", "--verbose", is_flag=True, help="every statement, and what moved")
@click.option("--json", "json_file", type=OutputFile(), help="- is stdout")
def command(**opts: Any) -> None:
    """Which functions, fields and constants of C that the specification mirrors have changed, moved
    or vanished in a tree, first those whose change could decide something.

    --take writes fingerprints/RELEASE.txt, of what all of ours cite RELEASE for,
    and of what fingerprints/RELEASE-read.txt has (a path, a name, a hash: -v prints them).

    Exit code: 0 none changed (what only moved has not), 1 some did, are gone, or cannot be told, 2
    bad input.
    """
    from ..api import drift
    from ..base.output import store
    from ..check.take import write_taken
    from ..report.drifted import drift_json, render_drift
    from ..report.json import encode

    if opts["take"]:
        file, taken, left = write_taken(Path(opts["tree"]), opts["take"], overlay_folders(opts))
        click.echo(f"{taken} functions, fields and constants: {file}")
        click.echo(f"{left} of this tree are not what they were, and nobody has read them")
        return
    done = drift(
        opts["tree"],
        release=opts["release"],
        arch=opts["arch"],
        search=overlay_folders(opts),
    )
    if opts["json_file"]:
        store(opts["json_file"], encode(drift_json(done)))
    if opts["json_file"] != "-":
        click.echo(render_drift(done, verbose=opts["verbose"]), nl=False)
    sys.exit(done.exit_code)
