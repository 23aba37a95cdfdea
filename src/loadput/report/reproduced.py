"""What ``loadput reproduce`` wrote, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .text import wrap

if TYPE_CHECKING:
    from ..reproduce import Reproduction


def render_reproduction(made: Reproduction, folder: str) -> str:
    """Return the summary: which steps are brought about by what, and the files."""
    found = made.counterexample
    lines = [
        *wrap("program", found.title),
        *wrap("property", f"{found.property}, {len(made.plan.steps)} steps"),
        "",
    ]
    for means, steps in made.steps_by().items():
        label = means.removeprefix("forced by ").removeprefix("the ")
        lines += wrap(label, f"{len(steps):3d}  {_spans(steps)}") if steps else []
    if "schedule.h" not in made.files:
        lines += ["", *wrap("no program", "no guest is written for this architecture")]
    lines += ["", *wrap("written", ", ".join(f"{folder}/{name}" for name in made.files))]
    lines += wrap("next", f"read {folder}/README.md")
    return "\n".join(lines) + "\n"


def _spans(numbers: Sequence[int]) -> str:
    """Steps as ``1, 3-5``."""
    out: list[list[int]] = []
    for n in numbers:
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)
