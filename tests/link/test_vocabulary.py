"""What `loadput list` says of state, functions and constants is what a program has."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from loadput.ir import types as ty
from loadput.lang.pyfront import parse_module
from loadput.link.overlay import find_overlays, known_archs
from loadput.link.program import Choice, link
from loadput.link.scenario import list_scenarios, load_scenario
from loadput.link.vocabulary import COMMON, iter_elsewhere, list_settable, read_vocabulary
from loadput.report.vocabulary import render_constants, render_functions, render_state

Ran = CompletedProcess[str]
WRITTEN = [(n, v.archs) for n, v in find_overlays("release").items()]
PROGRAMS = [(a, r) for r, only in WRITTEN for a in known_archs() if a in only or not only]


def state_of(arch: str, release: str = "v6.12") -> str:
    return render_state(read_vocabulary(Choice(arch, release=release)), [])


@pytest.mark.parametrize(("arch", "release"), PROGRAMS)
def test_every_struct_field_and_variable_of_a_program_is_listed_as_it_is_declared(
    arch: str, release: str
) -> None:
    """The text is kernel Python: parsed again, it declares what the program has."""
    aliases: dict[str, ty.Type] = {}
    text = state_of(arch, release).partition("\n\n")[2]
    enums = "".join(re.findall(r"^class \w+\(enum\):\n(?:    .*\n)+", text, re.M))
    parse_module(enums, "enums.py", "", aliases)
    again = parse_module(text, "state.py", "", aliases)
    p = link(Choice(arch, release=release), load_scenario("one"), asked=False)
    for s in p.decls.structs.values():
        listed = again.structs[s.name]
        assert listed.per == s.per
        for f in s.fields.values():
            assert (listed.fields[f.name].type, listed.fields[f.name].init) == (f.type, f.init)
    for v in p.decls.globals.values():
        g = again.globals[v.name]
        assert (g.type, g.init, g.percpu, g.ghost) == (v.type, v.init, v.percpu, v.ghost)
    mine = {n: c for n, c in p.decls.consts.items() if not n.startswith("NR_")}
    assert mine.items() <= again.consts.items()


@pytest.mark.parametrize(("arch", "release"), PROGRAMS)
def test_every_function_of_a_program_is_listed_with_a_sentence(arch: str, release: str) -> None:
    v = read_vocabulary(Choice(arch, release=release))
    p = link(Choice(arch, release=release), load_scenario("one"), asked=False)
    listed = {f.name: f for f in v.functions}
    assert set(p.functions) <= set(listed)
    for f in v.functions:
        assert len(f.sentence) > 5 and f.parameters.startswith("("), f.name
        assert f"{f.name}(" in render_functions(v)


def test_what_all_have_is_what_each_has() -> None:
    common = read_vocabulary(Choice(COMMON))
    assert {s.name for s in common.structs} >= {"kvm_vcpu", "task_struct"}
    for arch in known_archs():
        own = read_vocabulary(Choice(arch))
        assert {f.name for f in common.functions} <= {f.name for f in own.functions}
        fields = {(s.name, f.name) for s in own.structs for f in s.fields}
        assert {(s.name, f.name) for s in common.structs for f in s.fields} <= fields


def test_a_ghost_is_listed_where_a_property_of_the_program_uses_it() -> None:
    def fields(arch: str) -> set[str]:
        return {f.name for s in read_vocabulary(Choice(arch)).structs for f in s.fields}

    assert "ran_on" in fields("svm") and "ran_on" not in fields("riscv")


def test_the_state_that_another_release_has_is_listed_after_it() -> None:
    v = read_vocabulary(Choice("riscv", release="v6.12"))
    text = render_state(v, iter_elsewhere(v.choice))
    assert "kvm_former_vcpu" in text.partition("# Not in v6.12: release v7.2 has")[2]
    assert "kvm_former_vcpu: per_cpu[ptr[kvm_vcpu]]" in state_of("riscv", "v7.2")


def test_every_constant_that_a_shipped_scenario_sets_is_listed_with_what_it_means() -> None:
    rows = list_settable(known_archs())
    assert all(len(c.about) > 15 for c in rows)
    used = {n for s in list_scenarios() for n, _ in load_scenario(s).constants}
    assert used <= {c.name for c in rows} and len(used) > 10


def test_a_default_is_what_the_program_has_where_the_scenario_is_silent() -> None:
    for arch in known_archs():
        consts = link(Choice(arch), load_scenario("one"), asked=False).decls.consts
        for c in list_settable([arch]):
            if not c.only:
                assert consts[c.name] == c.default


def test_no_line_is_longer_than_a_mail_takes() -> None:
    texts = [render_constants(list_settable(known_archs()))]
    for arch in (COMMON, *known_archs()):
        v = read_vocabulary(Choice(arch))
        texts += [render_state(v, iter_elsewhere(v.choice)), render_functions(v)]
    assert [row for t in texts for row in t.splitlines() if len(row) > 72] == []


def test_an_overlay_of_ones_own_is_listed_too(tmp_path: Path, loadput: Callable[..., Ran]) -> None:
    at = tmp_path / "mine" / "design" / "d"
    at.mkdir(parents=True)
    (at / "overlay.py").write_text('OVERLAY = Overlay(name="d", parent="D", source="ours")\n')
    (at / "a.py").write_text("class kvm_vcpu(struct):\n    # Since when.\n    mine: upto[3] = 2\n")
    ran = loadput("list", "state", "--design", "d", "--overlays", "mine")
    assert ran.returncode == 0 and "    # Since when.\n    mine: upto[3] = 2" in ran.stdout
    assert "# design:d" in ran.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scenarios", "--arch", "svm"], "--arch is for state, functions, constants"),
        (["state", "--arch", "sv"], "nearest: svm"),
        (["functions", "--arch", "svm", "--release", "v7.2"], "not written for svm"),
    ],
)
def test_what_cannot_be_listed_is_refused(
    words: list[str], said: str, loadput: Callable[..., Ran]
) -> None:
    ran = loadput("list", *words)
    assert ran.returncode == 2 and said in ran.stderr and "Traceback" not in ran.stderr
