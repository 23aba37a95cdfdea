"""A schedule as a short text for a URL: which program, and which move was taken each time."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence

from ..base.errors import InputError
from ..machine.model import Machine

DIGITS = string.digits + string.ascii_lowercase + string.ascii_uppercase
WIDE = "-"
LONGEST = 20_000


def program_key(m: Machine) -> str:
    """Four characters that another program hardly has: its slots, and its graph without places."""
    nodes = [(type(n.op).__name__, n.stack[-1], n.next) for n in m.graph.nodes]
    told = repr((m.slots, m.initial, nodes)).encode()
    number = int.from_bytes(hashlib.blake2s(told, digest_size=4).digest(), "big")
    return "".join(DIGITS[number // 62**k % 62] for k in range(4))


def render_schedule(m: Machine, indices: Sequence[int]) -> str:
    """``KEY.steps``: one character a step, three where there are more than 61 moves."""
    out = []
    for i in indices:
        out.append(DIGITS[i] if i < 62 else f"{WIDE}{DIGITS[i // 62 % 62]}{DIGITS[i % 62]}")
    return f"{program_key(m)}.{''.join(out)}"


def parse_schedule(m: Machine, text: str) -> list[int]:
    """The moves that `render_schedule` wrote.

    :raises InputError: LP0530, no schedule, or another program's
    """
    key, dot, steps = text.strip().partition(".")
    if not dot or len(key) != 4 or len(steps) > LONGEST:
        raise _refuse(text, "no schedule", "KEY.steps, as the page of loadput explore writes it")
    if key != program_key(m):
        raise _refuse(text, "the schedule of another program", f"one that begins {program_key(m)}.")
    out, at = [], 0
    while at < len(steps):
        wide = steps[at] == WIDE
        part = steps[at + 1 : at + 3] if wide else steps[at]
        if len(part) < 1 + wide or any(c not in DIGITS for c in part):
            raise _refuse(text, f"no schedule: character {at + 6}", "letters and digits")
        number = [DIGITS.index(c) for c in part]
        out.append(number[0] * 62 + number[1] if wide else number[0])
        at += 3 if wide else 1
    return out


def _refuse(text: str, what: str, expected: str) -> InputError:
    return InputError(
        "LP0530",
        what,
        got=text[:60],
        expected=expected,
        next="loadput explore, with the options of the command that gave the schedule",
    )
