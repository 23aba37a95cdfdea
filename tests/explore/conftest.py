"""Programs that the tests of this room step through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache

import pytest

from loadput.check.verdict import Result, check
from loadput.explore.prepare import learn, prepare
from loadput.explore.space import Space
from loadput.explore.subject import Subject
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario
from loadput.machine.model import build_machine
from loadput.run.exploration import Limits

AREA = "HOST-AREA-FRESH"
REPLAY = "loadput replay --arch svm --design skip-iii --scenario one"


@cache
def make_space(arch: str, design: str, scenario: str) -> Space:
    return Space(build_machine(link(Choice(arch, design), load_scenario(scenario))))


@cache
def decide(design: str, name: str) -> Result:
    found = check(
        Choice("svm", design),
        load_scenario("one"),
        properties=[name],
        limits=Limits(threads=1),
    )
    assert found.find(name).path
    return found


@pytest.fixture(scope="session")
def one() -> Space:
    """svm on one CPU with one thread."""
    return make_space("svm", "", "one")


@pytest.fixture(scope="session")
def two() -> Space:
    """svm on two CPUs."""
    return make_space("svm", "", "default")


@pytest.fixture(scope="session")
def skipped() -> Result:
    """What HOST-AREA-FRESH finds of the design skip-iii."""
    return decide("skip-iii", "HOST-AREA-FRESH")


@pytest.fixture(scope="session")
def subject(skipped: Result) -> Subject:
    made = prepare(
        Choice("svm", "skip-iii"),
        load_scenario("one"),
        command="loadput explore --arch svm --design skip-iii --scenario one",
        replay=REPLAY,
    )
    return learn(made, skipped, (AREA,))


@pytest.fixture(scope="session")
def served(subject: Subject) -> Iterator[str]:
    from loadput.explore.server import serve

    address: list[str] = []
    told = threading.Event()

    def tell(where: str) -> None:
        address.append(where)
        told.set()

    # Its thread ends with the tests.
    threading.Thread(target=serve, args=(subject, tell), daemon=True).start()
    assert told.wait(20)
    yield address[0]
