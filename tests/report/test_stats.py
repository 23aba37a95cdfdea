"""What ``--stats`` says of an exploration."""

from __future__ import annotations

from loadput.check.verdict import check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario
from loadput.report.stats import BINS, depths, never_taken, render_stats


def test_every_state_stands_at_one_depth() -> None:
    levels = list(range(1, 41))
    rows = depths(levels)[1:]
    assert len(rows) <= BINS
    assert sum(int(row[14:27]) for row in rows) == sum(levels)
    assert rows[-1].endswith("#" * 40) and max(map(len, rows)) <= 72


def test_what_never_happens_is_the_programs_not_the_properties() -> None:
    r = check(Choice(arch="riscv"), load_scenario("one"))
    text = render_stats(r)
    assert "never fired   __local_hfence_gvma_all, cpu_hotplug_threads,\n" in text
    assert "kvm_vcpu_kick:" in " ".join(never_taken(r))
    assert not any(p.name.replace("-", "_") in text for p in r.properties)
