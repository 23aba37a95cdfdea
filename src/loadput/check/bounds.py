"""How far the searches for a patch go where the user says nothing: what lies beyond is not decided.

A patch can make a space that nobody waits for, as with a pointer that may be to any vCPU.
"""

from __future__ import annotations

from dataclasses import replace

from ..run.exploration import Limits

# The largest that a release has in scenario default is 25 million states.
STATES = 60_000_000  # of one search
MEMORY = 4 << 30  # bytes, of one search
SECONDS = 600.0  # of a patch on an architecture, with all that it takes
SHALLOW = 1_000_000  # states of a base that is only asked whether it violates the same
FURTHER = 2_000_000  # states of a search that may find a violation, where holds is out of reach


def bounded(limits: Limits, most: int | None = None) -> Limits:
    """``limits``, with ours where it has none.

    :param most: no more states than this
    """
    states = STATES if limits.max_states is None else limits.max_states
    return replace(
        limits,
        max_states=states if most is None else min(states, most),
        max_memory_bytes=limits.max_memory_bytes or MEMORY,
    )
