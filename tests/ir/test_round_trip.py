"""IR text parses back to the equal IR, for every function of every shipped program."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadput.base.errors import IRError
from loadput.ir.spec import verify
from loadput.ir.text import parse_function, render_function
from loadput.link.overlay import find_overlays
from loadput.link.program import Choice, link
from loadput.link.scenario import list_scenarios, load_scenario
from loadput.machine.weave import weave

ARCHS = [n for n, v in find_overlays("arch").items() if not v.abstract]
DESIGNS = [(a, d) for a in ARCHS for d, v in find_overlays("design").items() if v.arch in ("", a)]
TWINS = [(v.arch.split(",")[0] or "svm", n) for n, v in find_overlays("twin").items()]


def assert_round_trip(choice: Choice, scenario: str = "one") -> int:
    """Every function, also with its properties woven in; return how many there are."""
    p = link(choice, load_scenario(scenario))
    every = [*p.functions.values(), *weave(p).values()]
    for fn in every:
        text = render_function(fn)
        again = parse_function(text)
        assert again == fn and render_function(again) == text, fn.name
        if fn.name in p.functions and fn is p.functions[fn.name]:
            verify(again, p.decls)
    return len(every)


@pytest.mark.parametrize(("arch", "design"), DESIGNS)
def test_every_design_survives_as_text(arch: str, design: str) -> None:
    assert assert_round_trip(Choice(arch, design)) > 60


@pytest.mark.parametrize(
    ("arch", "release"),
    [(a, n) for n, v in find_overlays("release").items() for a in ARCHS if v.arch in ("", a)],
)
def test_every_release_survives_as_text(arch: str, release: str) -> None:
    assert assert_round_trip(Choice(arch, "", release)) > 60


@pytest.mark.parametrize(("arch", "twin"), TWINS)
def test_every_twin_survives_as_text(arch: str, twin: str) -> None:
    v = find_overlays("twin")[twin]
    design = v.parent if v.parent in find_overlays("design") else ""
    assert_round_trip(Choice(arch, design, v.release or "v6.12", twin))


@pytest.mark.parametrize("scenario", list_scenarios())
def test_every_scenario_survives_as_text(scenario: str, arch_of: Callable[[str], str]) -> None:
    assert assert_round_trip(Choice(arch_of(scenario)), scenario) > 60


@pytest.mark.parametrize("text", ["", "fn", "fn f() -> void from x\n  L0:\n    fly 1\n", "\0\0"])
def test_what_is_no_ir_is_an_error(text: str) -> None:
    with pytest.raises(IRError):
        parse_function(text)
