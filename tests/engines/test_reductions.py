"""Reductions never change a verdict, nor the length of a counterexample."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from programs import make_machine, programs

from loadput.base.errors import LoadputError
from loadput.machine.model import Machine
from loadput.run.exploration import Exploration, Limits
from loadput.run.explore import explore
from loadput.run.reduce import Reduce

BOTH, SYMMETRY, POR = Reduce(True, True), Reduce(True, False), Reduce(False, True)
WAYS = [SYMMETRY, POR, BOTH]
EVERY = Phase.explicit, Phase.generate  # shrinking would take minutes


def answers(x: Exploration) -> dict[str, int]:
    return {name: len(path) for name, path in x.first.items()}


def compare(m: Machine, engine: str = "interp", most: int | None = None) -> list[Exploration]:
    """The explorations without and with each reduction, after comparing what they say."""
    plain = explore(m, engine=engine, limits=Limits(max_states=most))
    if not plain.finished:
        return []
    out = [plain]
    for way in WAYS:
        x = explore(m, engine=engine, reduce=way)
        assert x.finished and answers(x) == answers(plain), way
        assert x.nodes == plain.nodes, way
        assert x.states <= plain.states, way
        out.append(x)
    return out


@settings(
    max_examples=int(os.environ.get("LOADPUT_EXAMPLES", "60")),
    deadline=None,
    derandomize=True,
    phases=EVERY,
    suppress_health_check=list(HealthCheck),
)
@given(programs(), st.integers(1, 2), st.booleans(), st.booleans())
def test_random_programs_violate_the_same(text: str, cpus: int, fusing: bool, alike: bool) -> None:
    try:
        m = make_machine(text, cpus=cpus, tasks=("actor", "actor"), fusing=fusing, alike=alike)
    except LoadputError:
        return
    compare(m, most=1500)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=EVERY,
    suppress_health_check=list(HealthCheck),
)
@given(programs(), st.integers(1, 2), st.booleans())
def test_engines_reduce_alike(text: str, cpus: int, fusing: bool) -> None:
    try:
        m = make_machine(text, cpus=cpus, tasks=("actor", "actor"), fusing=fusing, alike=True)
        for way in (SYMMETRY, POR):
            slow = explore(m, engine="interp", limits=Limits(max_states=1500), reduce=way)
            for threads in (1, 2):
                limits = Limits(max_states=1500, threads=threads)
                fast = explore(m, limits=limits, reduce=way)
                assert fast.first == slow.first
                for name in ("states", "transitions", "levels", "fired", "nodes", "reduction"):
                    assert getattr(fast, name) == getattr(slow, name), (way, name)
    except LoadputError as e:
        assert e.code != "LP0900", e
