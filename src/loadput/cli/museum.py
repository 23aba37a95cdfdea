"""``loadput museum``: real bugs, found again where their fix is taken out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .interrupt import INTERRUPTED, end_softly, interrupted
from .options import (
    OutputFile,
    engine_options,
    make_kept,
    make_limits,
    make_reduce,
    overlay_folders,
    overlays_option,
    progress_for,
    reduction_words,
    say_kept,
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
@click.option(
    "--html", "html_folder", type=click.Path(file_okay=False),
    help="write a page to step through each entry there, and a list of them",
)  # fmt: skip
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
    shared, kept = share_cores(opts, 2 * len(wanted)), make_kept(opts)

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
            kept=kept,
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
    if opts["html_folder"]:
        _draw(shown, Path(opts["html_folder"]), shared["at_once"])
    results = _results(shown)
    say_kept(sum(r.kept for r in results), len(results))
    code = 4 if left else exit_code(shown, missing)
    sys.exit(INTERRUPTED if interrupted() else code)


def exit_code(shown: list[Shown], missing: dict[str, str]) -> int:
    """0 all right, 4 where a limit ended one, else 1."""
    if any(r.verdict == "not decided" for r in _results(shown)):
        return 4
    return 0 if all(s.is_right for s in shown) and not missing else 1


def _results(shown: list[Shown]) -> list[Result]:
    out = [r for s in shown for r in (s.before, s.after)]
    return out + [r for s in shown for b in s.between for r in (b.result, b.after)]


def _differences(s: Shown) -> tuple[str, list[str]]:
    from .diff import render_difference

    def of(r: Result, name: str) -> str:
        return render_difference(r.built.program, f"museum:{name}", no_doc=True)

    return of(s.before, s.entry.id), [of(b.result, b.state.overlay) for b in s.between]


def _draw(shown: list[Shown], folder: Path, at_once: int) -> None:
    """A page per entry."""
    from ..base.errors import OutputError
    from ..base.output import say, store
    from ..explore.gallery import iter_pages
    from .options import program_words

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(
            "LP0520", f"cannot make {folder}: {e.strerror}", expected="a folder to write to"
        ) from None
    scenarios = {s.before.scenario.name: s.entry.scenario for s in shown}

    def words(r: Result, verb: str) -> str:
        return program_words(verb, r.choice, scenarios.get(r.scenario.name, r.scenario.name))

    count = 0
    for name, text in iter_pages(shown, words, at_once=at_once):
        store(str(folder / name), text.encode())
        count += 1
    say(f"wrote {folder}: {count - 1} entries, and index.html")
