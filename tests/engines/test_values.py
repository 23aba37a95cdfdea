"""What the value analysis says of counters."""

from __future__ import annotations

import pytest
from programs import make_machine

from loadput.run.explore import explore

COUNTER = """
may_preempt = 0
irqs_off = 1
@task
def actor():
    x: between[-4, 20] = 0
    while True:
        x = choose(0, 0)
        while x < 5:
            x = x + {step}
            b = choose(0, 1)
        WARN_ON(x == {last})
"""


@pytest.mark.parametrize(("step", "last"), [(1, 5), (2, 6), (3, 6), (4, 8)])
@pytest.mark.parametrize("engine", ["interp", "native"])
def test_a_counter_passes_its_bound_by_less_than_a_step(step: int, last: int, engine: str) -> None:
    m = make_machine(COUNTER.format(step=step, last=last))
    assert last in max((v for (_, n), v in m.values.locals.items() if n.endswith(":x")), key=len)
    assert "KERNEL-WARN" in explore(m, engine=engine).first
