"""Which scenarios a change is asked in, where the user names none: those that run it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ..base.errors import LoadputError
from ..lang.guess import walk
from ..lang.syntax import Expr, If, Invoke, Name, Stmt
from ..link.program import Choice, link, specification
from ..link.scenario import FOLDER, Scenario, load_scenario
from ..machine.alike import is_same_machine

SMALL = ("one", "shared")
LARGE = "default"
MOST = 3  # levels of callers whose tests are looked at


@cache
def shipped() -> tuple[Scenario, ...]:
    """Every scenario of the specification."""
    return tuple(load_scenario(f.stem) for f in sorted(FOLDER.glob("*.toml")))


def scenes_for(before: Choice, after: Choice, changed: Sequence[str]) -> list[Scenario]:
    """The scenarios to ask in order: small ones, one that has what it is about, the large one.

    Only those in which the change is another machine; none, where no scenario runs it.

    :param changed: the specification's functions that ``after`` has otherwise than ``before``
    """
    wanted = switches(after, changed)
    special = sorted(
        (s for s in shipped() if s.name not in (*SMALL, LARGE) and _hits(s, wanted)),
        key=lambda s: (-_hits(s, wanted), s.cpus * len(s.tasks), s.name),
    )
    out = [s for s in map(load_scenario, SMALL) if scene_runs(before, after, s)]
    out += [s for s in special if scene_runs(before, after, s)][:1]
    if not out:
        rest = [s for s in shipped() if s not in special and s.name not in (*SMALL, LARGE)]
        rest.sort(key=lambda s: (s.cpus * len(s.tasks), s.name))
        out = [s for s in rest if scene_runs(before, after, s)][:1]
    large = load_scenario(LARGE)
    return [*out, large] if scene_runs(before, after, large) else out


def _hits(s: Scenario, wanted: frozenset[str]) -> int:
    return sum(name in wanted and value != 0 for name, value in s.constants)


def scene_runs(before: Choice, after: Choice, s: Scenario) -> bool:
    """Whether ``after`` is another machine than ``before`` in scenario ``s``."""
    try:
        return not is_same_machine(link(before, s), link(after, s))
    except LoadputError:
        return False


def switches(choice: Choice, changed: Sequence[str]) -> frozenset[str]:
    """The constants that may decide whether the functions run: those of tests in them, in what
    calls them, and in what those tests call.
    """
    defs, decls = specification(choice)
    out: set[str] = set()
    seen: set[str] = set()
    todo = {n for n in changed if n in defs}
    for _ in range(MOST):
        seen |= todo
        for name in todo:
            for test in (n.cond for n in walk(defs[name].body) if isinstance(n, If)):
                out |= _named(test)
                called = {x.fn for x in (test, *walk(test)) if isinstance(x, Invoke)} & defs.keys()
                out |= {x for fn in called for n in walk(defs[fn].body) for x in _name(n)}
        todo = {n for n, d in defs.items() if n not in seen and _calls(d.body, todo)}
    return frozenset(out & decls.consts.keys())


def _name(n: Expr | Stmt) -> tuple[str, ...]:
    return (n.id,) if isinstance(n, Name) else ()


def _named(e: Expr) -> set[str]:
    return {x.id for x in (e, *walk(e)) if isinstance(x, Name)}


def _calls(body: tuple[Stmt, ...], names: set[str]) -> bool:
    return any(isinstance(x, Invoke) and x.fn in names for x in walk(body))
