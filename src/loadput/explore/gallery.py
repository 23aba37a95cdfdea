"""Every museum entry as a page that needs no server, and a page that lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape

from ..check.museum import Entry, Shown, map_here
from ..check.verdict import Result
from .offline import render_file
from .prepare import learn, prepare

# Of one page: forty of them are to be kept together.
MOST_BYTES = 300_000
INDEX = "index.html"


def iter_pages(
    shown: Sequence[Shown],
    words: Callable[[Result, str], str],
    *,
    most_bytes: int = MOST_BYTES,
    at_once: int = 1,
) -> Iterator[tuple[str, str]]:
    """The name of each file and its text; the list of them comes last.

    :param words: the command that comes to a program, for a verb
    :param at_once: processes that draw
    """
    made = [(s.entry, f"{s.entry.id}.html") for s in shown]
    draw = partial(_draw, shown, words, most_bytes)
    for (_, name), text in zip(made, map_here(draw, range(len(shown)), at_once), strict=True):
        yield name, text
    yield INDEX, render_index(made)


def _draw(
    shown: Sequence[Shown], words: Callable[[Result, str], str], most_bytes: int, i: int
) -> str:
    s, r = shown[i], shown[i].before
    subject = prepare(
        r.choice,
        r.scenario,
        command=words(r, "explore"),
        replay=words(r, "replay"),
        fusing=r.fusing,
    )
    subject = learn(subject, r, (s.entry.property,))
    subject.title = f"{s.entry.id}: {s.entry.wrong}"
    return render_file(subject, most_bytes=most_bytes)


def render_index(made: Sequence[tuple[Entry, str]]) -> str:
    """The page that lists the entries."""
    rows = [
        f'<tr><td><a href="{escape(name)}">{escape(e.id)}</a></td><td>{escape(e.arch)}</td>'
        f"<td>{escape(e.wrong)}</td><td>{escape(e.property)}</td></tr>"
        for e, name in made
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>loadput: the museum</title>'
        "<style>:root{color-scheme:light dark}body{font:14px/1.45 system-ui,sans-serif;margin:2em}"
        "td{padding:3px 14px 3px 0;vertical-align:top}</style><h1>Real bugs, step by step</h1>"
        "<p>Each page opens where the bug shows, in the program without its fix; the program with "
        "it stands beside.</p><table><tr><th align=left>entry<th align=left>arch<th align=left>"
        f"what went wrong<th align=left>found by</tr>{''.join(rows)}</table></html>\n"
    )
