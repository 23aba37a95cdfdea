"""Small changes of the kernel's C, through the command: what each breaks, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

C = Path(__file__).parent / "c"
SPINNER = Path(__file__).parents[2] / "examples" / "spinner.toml"
Run = Callable[..., CompletedProcess[str]]
# The file, what is new with it, and the steps of its shortest counterexample, on one CPU.
CHANGES = [
    ("sched_in_clears_first", {"PLE-ONCE": 12, "SOUT-AT-LOAD": 12}),
    ("sched_out_sets_last", {"SOUT-AT-PUT": 7, "PREEMPTED-IMPLIES-SOUT": 8}),
    ("sched_out_forgets_running_first", {"LOADED-IMPLIES-RUNNING": 7}),
    ("vcpu_put_forgets_running_first", {"LOADED-IMPLIES-RUNNING": 6}),
    ("vcpu_put_unregisters_first", {}),
    ("sched_out_always_preempted", {"PREEMPTED-IFF-RUN": 24}),
    ("sched_in_plain_stores", {}),
]


def judged(run: Run, name: str, *args: object) -> tuple[int, dict[str, Any]]:
    done = run("check", C / f"{name}.c", "--base", "v6.12", "--json", "-", *args)
    assert done.stderr == ""
    program: dict[str, Any] = json.loads(done.stdout)["programs"][0]
    return done.returncode, program


@pytest.mark.parametrize(("name", "new"), CHANGES, ids=[n for n, _ in CHANGES])
def test_what_is_new_on_one_cpu(loadput: Run, name: str, new: dict[str, int]) -> None:
    code, p = judged(loadput, name, "--arch", "svm", "--scenario", "one")
    found = {x["name"]: x["depth"] for x in p["properties"] if x["blame"] == "new with this change"}
    assert found == new
    assert {x["name"] for x in p["properties"] if x["verdict"] == "violated"} == set(new)
    assert code == (1 if new else 0)
    for x in p["properties"]:
        if x["name"] in new:
            assert len(x["counterexample"]) >= 1


def test_unregistering_before_the_put_is_equivalent(loadput: Run) -> None:
    """Preemption is off in between; nothing else reads the list."""
    _, p = judged(loadput, "vcpu_put_unregisters_first", "--arch", "svm", "--scenario", "one")
    assert [(e["function"], e["verdict"]) for e in p["equivalence"]] == [("vcpu_put", "equivalent")]


def test_plain_stores_race_where_another_task_reads(loadput: Run) -> None:
    """kvm_vcpu_on_spin reads ready and preempted; nobody else reads scheduled_out."""
    _, p = judged(loadput, "sched_in_plain_stores", "--arch", "svm", "--scenario", SPINNER)
    new = {r["variable"] for r in p["races"] if r["blame"] == "new with this change"}
    assert new == {"kvm_vcpu.preempted", "kvm_vcpu.ready"}


@pytest.mark.parametrize(("name", "new"), CHANGES, ids=[n for n, _ in CHANGES])
def test_text_is_narrow_and_ends_with_the_command(
    loadput: Run, name: str, new: dict[str, int]
) -> None:
    words = ("--base", "v6.12", "--scenario", "one", "--arch", "arm64,vmx")
    done = loadput("check", C / f"{name}.c", *words)
    assert done.stderr == ""
    assert [x for x in done.stdout.splitlines() if len(x) > 72 and "/" not in x] == []
    for prop in new:
        assert f"\n{prop}\n" in done.stdout
        assert f"!! {prop}" in done.stdout
    assert "again         loadput check" in done.stdout


@pytest.mark.parametrize(
    ("name", "prop"),
    [
        ("sched_out_sets_last", "SOUT-AT-PUT"),
        ("sched_out_forgets_running_first", "LOADED-IMPLIES-RUNNING"),
        ("sched_in_clears_first", "SOUT-AT-LOAD"),
    ],
)
def test_the_default_scenario_finds_them_unasked(loadput: Run, name: str, prop: str) -> None:
    code, p = judged(loadput, name, "--arch", "arm64")
    assert code == 1
    assert prop in {x["name"] for x in p["properties"] if x["blame"] == "new with this change"}
