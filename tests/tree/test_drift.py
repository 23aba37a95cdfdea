"""Real kernels against what the specification was written from: what has changed, and is it told.

`make test-tree` fetches the trees; without them these tests skip, and say so.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import loadput as lp
from loadput.check.drift import TreeDrift
from loadput.check.fingerprint import known
from loadput.check.follow import GONE, IN_STEP, MOVED, NOT_TAKEN, UNKNOWN, follow
from loadput.check.take import take
from loadput.link.overlay import known_archs

from .test_real_functions import source


def off(d: TreeDrift) -> set[str]:
    return {r.name for r in d.rows if r.status not in (IN_STEP, MOVED)}


# The release that was written from a version, and the very version.
WRITTEN_FROM = {
    "6.1": ("v6.1.192", "6.1.192"),
    "6.12": ("v6.12", "6.12.117"),
    "7.3": ("v7.3", "7.3.4"),
}


def mirrored_tree(version: str) -> tuple[Path, str]:
    tree = source(version)
    release, exact = WRITTEN_FROM[version]
    if exact not in tree.name:
        pytest.skip(f"the fingerprints are of {exact}")
    return tree, release


@cache
def drifted(version: str) -> TreeDrift:
    tree, release = mirrored_tree(version)
    return lp.drift(tree, release=release)


@pytest.mark.parametrize("version", WRITTEN_FROM)
def test_nothing_has_drifted_from_the_tree_that_was_read(version: str) -> None:
    """Nor is anything of 7.3, whose specification is laid over another, in step only because it was
    taken there.
    """
    got = drifted(version)
    assert (off(got), got.exit_code, bool(got.taken_here)) == (set(), 0, version != "7.3")


@pytest.mark.parametrize(
    ("version", "arch"), [("6.1", "s390"), ("6.12", "vmx"), ("7.3", "vmx"), ("7.3", "riscv")]
)
def test_check_says_of_an_architecture_what_drift_says(version: str, arch: str) -> None:
    tree, release = mirrored_tree(version)
    got = follow(tree, lp.Choice(arch, release=release))
    status = {f.name for f in got.functions if f.status not in (IN_STEP, MOVED, NOT_TAKEN)}
    here = {r.name for r in drifted(version).rows if arch in r.archs}
    assert status == off(drifted(version)) & here
    assert got.is_in_step == (not status)


@pytest.mark.parametrize("version", WRITTEN_FROM)
def test_every_row_is_of_one_thing(version: str) -> None:
    """Every function, field and constant has one answer, with what it rests on."""
    got = drifted(version)
    keys = [(r.kind, r.name, r.path) for r in got.rows]
    assert len(keys) == len(set(keys)) > 500
    assert all(r.archs and (r.since or r.status in (GONE, UNKNOWN)) for r in got.rows)
    assert not got.newer


@pytest.mark.parametrize("version", WRITTEN_FROM)
def test_the_fingerprints_are_those_of_the_tool(version: str) -> None:
    tree, release = mirrored_tree(version)
    have = known(release)
    made = {(f.path, f.name): f for f in take(tree, release, known_archs())[0]}
    assert {k: f.text for k, f in made.items()} == {k: f.text for k, f in have.items()}


def test_a_newer_tree_says_what_has_changed() -> None:
    got = follow(source("7.3"), lp.Choice("riscv", release="v6.12"))
    assert not got.is_in_step
    status = {f.name: f.status for f in got.functions}
    assert status["vcpu_load"] == IN_STEP
    assert status["kvm_vcpu_kick"] == "changed since"
    (kick,) = [f for f in got.functions if f.name == "kvm_vcpu_kick"]
    assert kick.path == "include/linux/kvm_host.h" and not kick.carries


def test_a_year_of_changes_is_drift() -> None:
    """6.12's text and 7.3's kernel: a function that was written anew, a header that took it up."""
    got = lp.drift(source("7.3"), release="v6.12", arch="svm")
    rows = {r.name: r for r in got.rows}
    assert got.exit_code == 1
    assert rows["vcpu_load"].status == IN_STEP
    assert rows["kvm_vcpu_kick"].path == "include/linux/kvm_host.h"
    assert "kvm_arch_vcpu_load" in off(got)
