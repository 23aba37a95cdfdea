"""Real bugs: found where the fix is taken out, not found with it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from loadput.check.museum import ANOTHER, PUBLISHED, Shown, entries, get_entry, not_shown, show
from loadput.check.verdict import check
from loadput.link.overlay import find_overlays
from loadput.run.reduce import NOTHING

FOUND = {
    # entry: property, steps, states before, states after, way
    "arm-last-vcpu-tlb": ("TLB-PRIVATE", 8, 683, 515, PUBLISHED),
    "arm64-pmuserenr-irq": ("PMUSERENR-TRAPS", 5, 212, 132, PUBLISHED),
    "arm64-reset-while-loaded": ("GUEST-STATE-COHERENT", 8, 2232, 1091, PUBLISHED),
    "preempted-iff-running": ("PREEMPTED-IFF-RUN", 9, 1971, 1991, PUBLISHED),
    "riscv-vs-tlb-migration": ("TLB-FRESH", 18, 323, 366, PUBLISHED),
    "sched-delayed-preempted": ("PREEMPTED-IFF-RUN", 22, 1801, 1991, PUBLISHED),
    "svm-tsc-ratio-cache": ("TSC-RATIO", 17, 6375, 4721, PUBLISHED),
    "x86-debugctl-snapshot": ("HOST-DEBUGCTL", 13, 340, 208, PUBLISHED),
}


@cache
def shown(name: str) -> Shown:
    (out,) = show([get_entry(name)], check)
    return out


def test_every_entry_is_pinned_here() -> None:
    assert set(FOUND) == set(entries()) == set(find_overlays("museum"))


@pytest.mark.parametrize("name", FOUND)
def test_the_bug_is_found_and_its_fix_holds(name: str) -> None:
    s = shown(name)
    p = s.finding
    assert p is not None and s.is_right
    found = (p.name, p.depth, s.before.states, s.after.states, s.way)
    assert found == FOUND[name]


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found_without_reductions_and_by_the_interpreter(name: str) -> None:
    s = shown(name)
    for engine in ("native", "interp"):
        r = check(s.before.choice, s.before.scenario, engine=engine, reduce=NOTHING)
        depths = {p.name: p.depth for p in r.properties}
        assert depths == {p.name: p.depth for p in s.before.properties}


@pytest.mark.parametrize("name", FOUND)
def test_an_entry_says_what_its_overlay_breaks_and_cites_its_fix(name: str) -> None:
    e, overlay = get_entry(name), find_overlays("museum")[name]
    assert e.property.replace("-", "_") in overlay.breaks
    assert all(re.fullmatch("[0-9a-f]{12}", c) and c in overlay.doc for c in e.commits)
    assert e.wrong.endswith(".") and e.fix.endswith(".")


def test_nothing_is_both_shown_and_not() -> None:
    assert not set(entries()) & set(not_shown())
    assert len(entries()) + len(not_shown()) == 24


def test_the_command_shows_one_entry(loadput) -> None:  # type: ignore[no-untyped-def]
    done = loadput("museum", "arm-last-vcpu-tlb")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("94d0e5980d67", "wrong ", "fix ", "!! TLB-PRIVATE", "the published schedule"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 110  # source lines as they stand


def test_the_command_shows_them_all(loadput, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = loadput("museum", "--json", "m.json")
    assert done.returncode == (1 if not_shown() else 0), done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 72
    data = json.loads((tmp_path / "m.json").read_text())
    assert [r["id"] for r in data["entries"]] == sorted(FOUND)
    assert all(r["found"] and r["holds_with_fix"] for r in data["entries"])
    assert data["not_shown"] == not_shown()


@pytest.mark.parametrize("name", ["arm-last-vcpu", "ppc-lost-kick"])
def test_an_entry_that_is_not_there(loadput, name: str) -> None:  # type: ignore[no-untyped-def]
    done = loadput("museum", name)
    assert done.returncode == 2 and done.stderr.startswith("error[LP0508]")


def test_another_way_is_told_from_the_published_one() -> None:
    s = shown("preempted-iff-running")
    assert s.way == PUBLISHED
    turned = s.entry.schedule[::-1]
    from dataclasses import replace

    assert Shown(replace(s.entry, schedule=turned), s.before, s.after).way == ANOTHER
