"""What of the specification a release's program still has a use for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ..ir.decls import Decls
from ..lang import syntax as s
from ..lang.guess import walk
from ..lang.syntax import Def
from ..link.program import Choice, specification
from .fingerprint import MAINLINE


@lru_cache(maxsize=8)
def live(choice: Choice) -> tuple[Mapping[str, Def], frozenset[str], Decls]:
    """The functions of ``choice`` without those that its release has left without a caller.

    A newer release replaces the bodies that called them; in mainline something calls them, so that
    threads and handlers, which nothing calls anywhere, are none of these.

    :returns: the functions; names of functions, fields and constants that mainline's bodies have
        and none of these; the declarations
    """
    defs, decls = specification(choice)
    old = Choice(choice.arch, release=MAINLINE, search=choice.search)
    called = {m for n, d in specification(old)[0].items() for m in _names(d) - {n}}
    names = {n: _names(d) for n, d in defs.items()}
    while True:
        used = frozenset(m for n, ms in names.items() for m in ms - {n})
        left = [n for n in names if n in called and n not in used]
        if not left:
            return {n: defs[n] for n in names}, frozenset(called - used), decls
        for n in left:
            del names[n]


def _names(d: Def) -> set[str]:
    out: set[str] = set()
    for n in walk(d.body):
        if isinstance(n, s.Invoke):
            out.add(n.fn)
        elif isinstance(n, s.Name):
            out.add(n.id)
        elif isinstance(n, s.Member):
            out.add(n.name)
    return out
