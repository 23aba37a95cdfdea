"""``loadput museum``: real bugs, found again where their fix is taken out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .interrupt import INTERRUPTED, end_softly, interrupted
from .options import (
    OutputFile,
    engine_options,
    make_limits,
    make_reduce,
    overlay_folders,
    overlays_option,
    progress_for,
    reduction_words,
    share_cores,
)

if TYPE_CHECKING:
    from ..check.museum import Shown
    from ..check.verdict import Result
    from ..link.program import Choice
    from ..link.scenario import Scenario


@click.command("museum")
@click.argument("ids", nargs=-1)
@overlays_option
@engine_options
@click.option("--json", "json_file", type=OutputFile(), help="- is stdout")
def command(ids: tuple[str, ...], **opts: Any) -> None:
    """Decide real bugs of this path, before and after their fix.

    IDS are entries; all without. One shows its counterexample. Exit code 0 only if every entry is
    found before its fix, holds with it, has its states between as expected, and none is left out.
    """
    from ..base.output import store
    from ..check.museum import entries, get_entry, not_shown, show
    from ..check.verdict import check
    from ..report.json import encode
    from ..report.museum import museum_json, render_entry, render_table

    search = overlay_folders(opts)
    wanted = [get_entry(i, *search) for i in ids] or list(entries(*search).values())
    missing = {} if ids else not_shown()
    end_softly()
    shared = share_cores(opts, 2 * len(wanted))

    def run(choice: Choice, scenario: Scenario) -> Result:
        return check(
            choice,
            scenario,
            engine=opts["engine"],
            limits=make_limits(shared),
            fusing=not opts["no_fuse"],
            forgetting=not opts["no_forget"],
            reduce=make_reduce(opts),
            progress=progress_for(choice.title),
        )

    shown = show(wanted, run, at_once=shared["at_once"], search=search)
    known = {s.entry.id for s in shown}
    why = "not begun: interrupted" if interrupted() else "not begun: the time was up"
    left = {e.id: why for e in wanted if e.id not in known}
    missing |= left
    if json_file := opts["json_file"]:
        store(json_file, encode(museum_json(shown, missing)))
    if json_file != "-":
        words = ["loadput museum", *ids, *reduction_words(opts)]
        words += [f"--overlays {folder}" for folder in opts["overlays"]]
        if len(ids) == 1 and shown:
            click.echo(render_entry(shown[0], *_differences(shown[0])), nl=False)
        else:
            click.echo(render_table(shown, missing, " ".join(words)), nl=False)
    code = 4 if left else exit_code(shown, missing)
    sys.exit(INTERRUPTED if interrupted() else code)


def exit_code(shown: list[Shown], missing: dict[str, str]) -> int:
    """0 all right, 4 where a limit ended one, else 1."""
    results = [r for s in shown for r in (s.before, s.after)]
    results += [r for s in shown for b in s.between for r in (b.result, b.after)]
    if any(r.verdict == "not decided" for r in results):
        return 4
    return 0 if all(s.is_right for s in shown) and not missing else 1


def _differences(s: Shown) -> tuple[str, list[str]]:
    from .diff import render_difference

    def of(r: Result, name: str) -> str:
        return render_difference(r.machine.program, f"museum:{name}", no_doc=True)

    return of(s.before, s.entry.id), [of(b.result, b.state.overlay) for b in s.between]
