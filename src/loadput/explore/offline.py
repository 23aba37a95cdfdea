"""The page as one file: the schedules, and as much of the space around them as fits."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ..base import clock
from ..run.interp import State
from .page import pack, render_page
from .subject import Subject

MOST_BYTES = 2_000_000
# Of all that a file may hold: base64 makes 4 bytes of 3, and the last flush is a little more.
SPARE = 40_000
MOST_STATES = 6_000


def render_file(
    subject: Subject, *, most_bytes: int = MOST_BYTES, most_states: int = MOST_STATES
) -> str:
    """The page of ``subject``, at most ``most_bytes`` long unless the schedules alone are longer.

    Each state is written once; a move to one that is not there says so.
    """
    data: dict[str, Any] = {
        "mode": "file",
        "meta": subject.meta(),
        "runs": subject.told_runs(pairs=True),
        "views": "",
    }
    room = (most_bytes - len(render_page(data).encode()) - SPARE) * 3 // 4
    states = _choose(subject, room, most_states)
    data["meta"]["states"] = len(states)
    data["views"] = pack(_squeeze(subject, states))
    return render_page(data)


def _wanted(subject: Subject) -> Iterator[State]:
    """The states of the schedules, then those around them, the nearest first."""
    space = subject.space
    runs = [space.follow(r.steps) for r in subject.runs]
    seen: dict[State, None] = dict.fromkeys(chain([space.initial], *runs))
    yield from seen
    level = list(seen)
    while level:
        after = []
        for s in level:
            for x in space.steps(s):
                if x.state is not None and x.state not in seen:
                    seen[x.state] = None
                    after.append(x.state)
                    yield x.state
        level = after


def _choose(subject: Subject, room: int, most: int) -> dict[State, int]:
    """As many of the states as fit, each with its number."""
    viewer, squeeze = subject.viewer, zlib.compressobj(6)
    needed = {s for r in subject.runs for s in subject.space.follow(r.steps)}
    size = 0
    out: dict[State, int] = {}
    for s in _wanted(subject):
        row = json.dumps(viewer.view(s), separators=(",", ":")).encode()
        size += len(squeeze.compress(row))
        if len(out) % 64 == 63:
            size += len(squeeze.flush(zlib.Z_SYNC_FLUSH))
        if s not in needed and (size > room - 4_000 or len(out) >= most or clock.is_up()):
            break
        out[s] = len(out)
    return out


def _squeeze(subject: Subject, states: dict[State, int]) -> bytes:
    """A line of JSON per state, deflated; ``to`` has the number of the state of each move."""
    squeeze, parts = zlib.compressobj(9), []
    for s in states:
        moves = subject.space.moves(s)
        to = [states.get(m.state, -1) if m.state is not None else -1 for m in moves]
        row = json.dumps({**subject.viewer.view(s), "to": to}, separators=(",", ":"))
        parts.append(squeeze.compress((row + "\n").encode()))
    return b"".join([*parts, squeeze.flush()])
