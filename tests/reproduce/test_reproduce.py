"""From a counterexample to a program: what is forced, by what, and that all of it is C."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

import loadput
from loadput.base.errors import InputError
from loadput.check.replayed import explore_finding, find_findings, load_counterexample
from loadput.cli.main import cli
from loadput.link.scenario import make_scenario
from loadput.reproduce import Reproduction, reproduce
from loadput.reproduce.plan import FOLLOWS, HOPED, INSTEAD, MODULE, USER, takes_probe
from loadput.reproduce.tables import GUESTS

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "findings"
COMPILERS = {
    "x86_64": "gcc",
    "aarch64": "aarch64-linux-gnu-gcc",
    "riscv": "riscv64-linux-gnu-gcc",
}
STRICT = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread")

TRAP = {
    "title": "2 CPUs, 1 vCPU thread, whose guest gets traps from KVM",
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]}],
    "set": {"guest_traps": 1, "guest_resets": 0},
}


@cache
def of_finding(name: str) -> Reproduction:
    return reproduce(explore_finding(name))


@cache
def of_trap() -> Reproduction:
    from loadput.check.replayed import Counterexample
    from loadput.check.verdict import check
    from loadput.link.program import Choice

    scenario = make_scenario("trap.toml", TRAP)
    r = check(Choice("riscv", release="v7.2"), scenario)
    path = list(r.find("GUEST-STATE-COHERENT").path)
    name = "GUEST-STATE-COHERENT"
    return reproduce(Counterexample(r.program, r.choice, scenario, r.fusing, name, path))


def segments(made: Reproduction) -> list[tuple[int, int, str, str, str]]:
    return [(s.thread, s.cpu, s.begin, s.act, s.end) for s in made.plan.segments]


def test_a_load_that_is_preempted_before_the_entry_is_kvm_run_with_a_signal_pending() -> None:
    made = of_finding("riscv-csr-skip")
    assert segments(made) == [
        (0, 0, "BEGINS", "RUN", "DONE"),
        (0, 0, "BEGINS", "VCPU_IOCTL", "DONE"),
        (0, 1, "BEGINS", "RUN_WITHOUT_ENTRY", "DONE"),
        (0, 0, "BEGINS", "RUN", "OVER"),
    ]
    assert not made.plan.holds, "user space can force all of it"
    assert {m: len(n) for m, n in made.steps_by().items()} == {
        USER: 3, MODULE: 0, INSTEAD: 4, FOLLOWS: 18, HOPED: 0,
    }  # fmt: skip
    assert "`preempted` and `scheduled_out` are not set" in made.files["README.md"]


def test_a_guest_that_runs_stands_in_for_the_kernel_around_it_where_an_ipi_comes() -> None:
    made = of_finding("ldt")
    assert segments(made) == [
        (0, 0, "BEGINS", "RUN", "IN_GUEST"),
        (1, 1, "BEGINS", "MODIFY_LDT", "WAITS"),
        (-1, 0, "CAUSED", "NOTHING", "DONE"),
        (0, 0, "GOES_ON", "RUN", "IN_GUEST"),
        (1, 1, "GOES_ON", "MODIFY_LDT", "DONE"),
        (0, 0, "GOES_ON", "NOTHING", "OVER"),
    ]
    assert not made.steps_by()[HOPED]


def test_where_user_space_cannot_force_it_the_module_holds_the_thread() -> None:
    made = of_trap()
    assert [(s.cpu, s.begin, s.end, s.hold) for s in made.plan.segments] == [
        (0, "BEGINS", "HELD", 0),
        (1, "MOVES", "HELD", 1),
        (0, "MOVES", "OVER", -1),
    ]
    assert [(h.places[0], h.preempts) for h in made.plan.holds] == [
        (("kvm_riscv_vcpu_trap_redirect", False), True),
        (("kvm_riscv_check_vcpu_requests", False), True),
    ]
    assert made.files["module/points.h"].count("until") == 0
    assert '{ "kvm_riscv_vcpu_trap_redirect", false }' in made.files["module/points.h"]
    assert "insmod module/hold.ko" in made.files["README.md"]


def test_no_thread_is_held_where_the_kernel_has_no_function() -> None:
    program = of_trap().plan.program
    assert takes_probe(program, "kvm_riscv_vcpu_trap_redirect")
    assert not takes_probe(program, "kvm_check_request"), "inline, of a header"
    assert not takes_probe(program, "restore_csrs"), "ours"
    assert not takes_probe(program, "__kvm_riscv_switch_to"), "the entry of the guest"


def test_every_step_is_brought_about_by_something_and_a_hoped_one_is_said() -> None:
    for made in (of_finding("ldt"), of_finding("riscv-csr-skip"), of_trap()):
        numbers = sorted(n for steps in made.steps_by().values() for n in steps)
        assert numbers == list(range(1, len(made.plan.steps) + 1))
        page = made.files["README.md"]
        rows = re.findall(r"^\| (\d+) \| c\d \|", page, re.M)
        assert [int(n) for n in rows] == numbers
        for word in ("Confirmed", "Refuted", "-c"):
            assert word in page


def test_an_architecture_without_a_guest_gets_the_words_alone() -> None:
    made = of_finding("loongarch-preempt-hint")
    assert sorted(made.files) == ["README.md", "watch.bt"]
    assert "No guest is written for this architecture" in made.files["README.md"]


@pytest.mark.parametrize("name", ["ldt", "riscv-csr-skip", "proxy-preempted"])
def test_the_program_compiles_without_a_warning(name: str, tmp_path: Path) -> None:
    made = of_finding(name)
    compile_all(made, tmp_path)


def test_the_program_with_points_compiles_too(tmp_path: Path) -> None:
    compile_all(of_trap(), tmp_path)


def compile_all(made: Reproduction, folder: Path) -> None:
    compiler = COMPILERS[GUESTS[made.counterexample.choice.arch]]
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    made.write(folder / "out")
    for mode in (("-fsyntax-only",), ("-S", "-o", str(folder / "out.s"))):
        done = subprocess.run(
            [compiler, *STRICT, *mode, str(folder / "out" / "reproduce.c")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "linux/kvm.h: No such file" in done.stderr:
            pytest.skip("no headers of the kernel for that architecture here")
        assert (done.returncode, done.stderr) == (0, "")


def test_the_guest_is_written_for_each_architecture_that_says_so(tmp_path: Path) -> None:
    made = of_finding("ldt")
    made.write(tmp_path / "out")
    for macro, compiler in COMPILERS.items():
        assert f"defined(__{macro}" in made.files["guest.h"]
        if shutil.which(compiler) is not None:
            words = [compiler, *STRICT, "-c", "-o", str(tmp_path / "o")]
            done = subprocess.run(
                [*words, str(tmp_path / "out" / "reproduce.c")],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert "No such file" in done.stderr or (done.returncode, done.stderr) == (0, "")


def test_the_module_builds_against_the_headers_of_a_kernel(tmp_path: Path) -> None:
    build = Path(f"/lib/modules/{_release()}/build")
    if not (build / "Makefile").exists():
        pytest.skip("no headers of the running kernel here")
    of_trap().write(tmp_path / "out")
    done = subprocess.run(
        ["make", "-C", str(tmp_path / "out" / "module")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


def _release() -> str:
    import platform

    return platform.release()


def test_a_file_of_check_gives_the_same_as_the_finding(tmp_path: Path) -> None:
    from loadput.report.json import encode, program_result

    found = find_findings()["riscv-csr-skip"]
    r = loadput.check(loadput.Choice(found.arch, release=found.release), found.scenario)
    file = tmp_path / "found.json"
    file.write_bytes(encode({"programs": [json.loads(encode(program_result(r)))]}))
    assert load_counterexample(file, found.property).path == list(r.find(found.property).path)
    made = loadput.reproduce(file, property=found.property)
    assert made.files["schedule.h"] == of_finding("riscv-csr-skip").files["schedule.h"]


def test_the_command_writes_the_folder_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["reproduce", "proxy-preempted"])
    assert done.exit_code == 0, done.output
    assert "12 steps" in done.output and "proxy-preempted/README.md" in done.output
    assert (tmp_path / "reproduce-proxy-preempted" / "schedule.h").is_file()
    with pytest.raises(InputError, match="LP0541"):
        CliRunner().invoke(
            cli, ["reproduce", "proxy-preempted"], standalone_mode=False, catch_exceptions=False
        )


def test_what_is_neither_file_nor_finding_is_refused_with_the_findings() -> None:
    with pytest.raises(InputError, match="LP0540") as e:
        loadput.reproduce("no-such")
    assert "riscv-csr-skip" in str(e.value)


def test_the_findings_are_those_of_the_pages_in_their_scenarios() -> None:
    known = find_findings()
    rows = re.findall(
        r"^\| ([^|]+) \| \[([\w-]+)\]", (PAGES / "README.md").read_text("utf-8"), re.M
    )
    assert sorted(known) == sorted(name for state, name in rows if state != "no")
    for name, found in known.items():
        page = (PAGES / f"{name}.md").read_text("utf-8")
        assert found.property in page
        if not found.scenario.file:
            written = re.findall(r"^# file: \S+\.toml\n(.*?)^```", page, re.M | re.S)
            assert found.scenario in [
                make_scenario(found.scenario.name, tomllib.loads(text)) for text in written
            ], f"{name}: the page has another scenario"
