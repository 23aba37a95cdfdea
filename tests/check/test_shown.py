"""A result shows itself: in the shell, in a notebook, as rows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import loadput
from loadput.check.museum import get_entry, show
from loadput.check.story import variable_name
from loadput.check.verdict import Result
from loadput.conform import conform_trace
from loadput.link.overlay import known_archs
from loadput.link.program import link
from loadput.machine.model import build_machine
from loadput.trace.account import account_trace


@cache
def found(design: str) -> Result:
    r: Result = loadput.check(loadput.Choice("svm", design), loadput.load_scenario("one"))
    return r


def test_the_package_lists_its_public_names() -> None:
    assert set(dir(loadput)) == set(loadput.NAMES)


def test_a_result_says_what_it_is_of_and_what_it_found() -> None:
    assert repr(found("skip-iii")).startswith(
        "<v7.3 design skip-iii on svm, scenario one: violated"
    )
    assert "HOST-AREA-FRESH" in repr(found("skip-iii")) and "holds" in repr(found("D"))


def test_its_rows_are_the_properties_that_were_asked() -> None:
    rows = {row["name"]: row for row in found("skip-iii").rows()}
    assert rows["HOST-AREA-FRESH"]["verdict"] == "violated"
    assert rows["HOST-AREA-FRESH"]["depth"] == found("skip-iii").find("HOST-AREA-FRESH").depth
    assert not [row for row in rows.values() if row["verdict"] == "not applicable"]


def test_a_notebook_shows_what_does_not_hold() -> None:
    shown = found("skip-iii")._repr_html_()
    assert "<td>HOST-AREA-FRESH</td><td>violated</td>" in shown and "&lt;v7.3" in shown
    assert "violated" not in found("D")._repr_html_()


def test_a_comparison_and_an_entry_of_the_museum_show_themselves() -> None:
    one = loadput.load_scenario("one")
    made = loadput.compare(
        one, lambda c: loadput.check(c, one), designs=("D", "skip-iii"), archs=("svm",)
    )
    assert "not holding: skip-iii on svm" in repr(made)
    assert [r["verdict"] for r in made.table()] == ["holds", "violated"]
    assert "<td>skip-iii</td><td>svm</td><td>violated</td>" in made._repr_html_()
    entry = get_entry("preempted-iff-running")
    (shown,) = show([entry], lambda c, s: loadput.check(c, s))
    assert repr(shown).startswith(f"<museum {entry.id}: {entry.property} found after ")
    assert shown.rows()[0]["tree"] == "before"
    assert "<th>tree</th><th>program</th>" in shown._repr_html_()


def test_recordings_and_what_is_held_against_them_show_themselves() -> None:
    trace = loadput.read_trace(Path(__file__).parents[2] / "examples" / "x86-6.1-ple.dat")
    told = account_trace(trace)
    assert " vCPUs, " in repr(told) and "x86-6.1-ple.dat" in repr(told)
    assert {"name", "loads", "migrations"} <= set(told.rows()[0])
    assert sum(r["loads"] for r in told.rows()) == sum(told.total.loads.values())
    held = conform_trace(trace)
    assert held.verdict in repr(held)
    assert {"release", "aspect", "compared"} <= set(held.rows()[0])
    assert held._repr_html_().count("<tr>") == len(held.rows()) + 1


@pytest.mark.parametrize("arch", known_archs())
def test_no_two_places_have_one_name(arch: str) -> None:
    m = build_machine(link(loadput.Choice(arch), loadput.load_scenario("shared")))
    names = [
        variable_name(m, name, i)
        for name in m.var_at
        for i in range(m.values.vars[name].count * m.values.vars[name].length)
    ]
    assert [n for n in names if names.count(n) > 1] == []


def test_the_cpu_of_a_vcpu_and_of_its_vmcs_are_told_apart() -> None:
    m = build_machine(link(loadput.Choice("vmx"), loadput.load_scenario("one")))
    told = {name: variable_name(m, name, 0) for name in ("kvm_vcpu.cpu", "loaded_vmcs.cpu")}
    assert told == {"kvm_vcpu.cpu": "v0.cpu", "loaded_vmcs.cpu": "v0.loaded_vmcs.cpu"}
