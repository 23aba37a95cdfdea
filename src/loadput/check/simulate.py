"""One schedule at random: every choice from a seeded generator."""

from __future__ import annotations

import random

from ..machine.model import Machine
from .story import StoryStep, Teller


def simulate(m: Machine, *, seed: int, steps: int) -> list[StoryStep]:
    """Return one random run of at most ``steps`` steps; the same seed gives the same run.

    Steps that change nothing (an interrupt that only looks) are not drawn.
    """
    rng = random.Random(seed)
    teller = Teller(m)
    s = m.initial
    out = []
    for _ in range(steps):
        options = [x for x in teller.interp.steps(s) if x.state != s]
        if not options:
            break
        x = rng.choice(options)
        out.append(teller.tell(s, x.action, x.state, x.nodes, x.violated))
        if x.state is None:
            break
        s = x.state
    return out
