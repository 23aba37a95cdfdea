"""Functions of Debian's kernels against the specification's, and what one token changes.

`make test-tree` fetches the trees; without them these tests skip, and say so.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from loadput.check.tree import compare_with_tree
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario

NAMES = (
    "vcpu_load",
    "vcpu_put",
    "kvm_sched_in",
    "kvm_sched_out",
    "kvm_vcpu_wake_up",
    "kvm_vcpu_kick",
    "kvm_vcpu_on_spin",
)
# kvm_vcpu_on_spin: ours leaves out last_boosted_vcpu and may begin its scan at any vCPU.
SAME = ["equal IR"] * 5 + ["equivalent", "differs"]
ANSWERS = {"6.1": ("v6.1.192", SAME), "6.12": ("v6.12", SAME)}
# function, a pattern, what stands there instead: a condition, an order, a value
TOKENS = [
    ("kvm_sched_out", r"vcpu->wants_to_run", "!vcpu->wants_to_run"),
    ("kvm_sched_out", r"WRITE_ONCE\(vcpu->scheduled_out, true\)", "WRITE_ONCE(vcpu->ready, true)"),
    ("kvm_sched_out", r"kvm_running_vcpu, NULL", "kvm_running_vcpu, vcpu"),
    ("kvm_sched_in", r"vcpu->scheduled_out, false", "vcpu->scheduled_out, true"),
    ("kvm_sched_in", r"(kvm_arch_vcpu_load\(vcpu, cpu\);)(.*?)(WRITE_ONCE[^;]*;)", r"\3\2\1"),
    ("vcpu_load", r"kvm_arch_vcpu_load\(vcpu, cpu\);", ""),
    ("vcpu_put", r"(kvm_arch_vcpu_put\(vcpu\);)(.*?)(__this_cpu_write[^;]*;)", r"\3\2\1"),
    ("kvm_vcpu_wake_up", r"return true", "return false"),
    ("kvm_vcpu_wake_up", r"WRITE_ONCE\(vcpu->ready, true\)", "WRITE_ONCE(vcpu->ready, false)"),
    ("kvm_vcpu_kick", r"cpu != me", "cpu == me"),
    ("kvm_vcpu_kick", r"mode == IN_GUEST_MODE", "mode == OUTSIDE_GUEST_MODE"),
]


def source(version: str) -> Path:
    name = f"LOADPUT_LINUX_{version.replace('.', '_')}"
    at = os.environ.get(name, "")
    if not at or not Path(at).is_dir():
        pytest.skip(f"no Linux {version} tree: make test-tree fetches it, or set {name}")
    return Path(at)


@pytest.mark.parametrize("version", ANSWERS)
def test_the_seven_functions(version: str) -> None:
    release, expected = ANSWERS[version]
    tree = source(version)
    answers, _, reasons = compare_with_tree(
        tree, Choice("svm", "", release), load_scenario("default"), NAMES
    )
    assert {e.function: e.verdict for e in answers} == dict(zip(NAMES, expected, strict=True))
    assert not reasons.keys() & set(NAMES)
    for e in answers:
        assert (e.where != ("", "")) == (e.verdict == "differs")


def changed(tree: Path, to: Path, name: str, pattern: str, new: str) -> Path:
    """The tree with one place of ``name`` changed; everything else is a link."""
    to.mkdir()
    for entry in tree.iterdir():
        if entry.name != "virt":
            (to / entry.name).symlink_to(entry)
    shutil.copytree(tree / "virt", to / "virt")
    page = to / "virt/kvm/kvm_main.c"
    text = page.read_text()
    m = re.search(rf"^[a-z][^\n;]*\b{name}\([^;{{]*\)\n{{\n.*?^}}", text, re.M | re.S)
    assert m, f"{name} is not in {page}"
    body, n = re.subn(pattern, new, m[0], count=1, flags=re.S)
    assert n == 1, f"{pattern} is not in {name}"
    page.write_text(text[: m.start()] + body + text[m.end() :])
    return to


@pytest.mark.parametrize(("name", "pattern", "new"), TOKENS)
def test_one_token_changes_the_answer(tmp_path: Path, name: str, pattern: str, new: str) -> None:
    tree = changed(source("6.12"), tmp_path / "tree", name, pattern, new)
    at = Choice("svm", "", "v6.12")
    (answer,), _, _ = compare_with_tree(tree, at, load_scenario("default"), (name,))
    assert answer.verdict == "differs", answer
    assert all(answer.where)
