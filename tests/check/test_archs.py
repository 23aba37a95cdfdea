"""Every architecture, on the scenario of one thread and on the default one, under every design."""

from __future__ import annotations

import pytest

from loadput.check.verdict import check
from loadput.link.overlay import known_archs
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario

STATES = {
    # architecture: states of design D on one, on default
    "loongarch": (4_130, 9_840_282),
    "mips": (824, 553_723),
    "powerpc": (1_037, 443_971),
    "s390": (2_281, 1_673_170),
}
RELEASES = ("v6.1", "v6.1.192", "v6.11-pre")


def states(choice: Choice, scenario: str) -> int:
    """How many there are, in a program in which everything holds."""
    r = check(choice, load_scenario(scenario))
    assert r.verdict == "holds", r.violated
    return r.states


@pytest.mark.parametrize("arch", STATES)
def test_everything_holds_in_so_many_states(arch: str) -> None:
    assert (
        states(Choice(arch, release="v6.12"), "one"),
        states(Choice(arch, release="v6.12"), "default"),
    ) == STATES[arch]


@pytest.mark.parametrize("arch", STATES)
def test_a_design_that_the_architecture_does_not_read_changes_nothing(arch: str) -> None:
    for design in ("A", "B", "C", "C-out"):
        assert states(Choice(arch, design, "v6.12"), "one") == STATES[arch][0]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("arch", STATES)
def test_a_release_runs_its_guests(arch: str, release: str) -> None:
    r = check(Choice(arch, release=release), load_scenario("one"))
    assert r.states > STATES[arch][0] / 2
    # What 118964562969 mended, where an ioctl that loads the vCPU can be preempted.
    assert set(r.violated) <= {"PREEMPTED-IFF-RUN"}


def test_architectures_here_are_shipped() -> None:
    assert set(STATES) <= set(known_archs())
