"""A counterexample as a sequence diagram, on the page that draws recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..report.text import iter_told, violations
from ..trace.timeline import write_sequence

if TYPE_CHECKING:
    from ..check.verdict import Result


def draw_counterexample(results: list[Result], path: str, command: str) -> bool:
    """Write the shortest counterexample of ``results`` to an HTML file; False where none is.

    With a base, one that is new with the change goes before those that were there.
    """
    found = [(p.blame not in ("", "new with this change"), p.depth or 0, i, p)
             for i, r in enumerate(results) for p in violations(r)]  # fmt: skip
    if not found:
        return False
    _, _, i, worst = min(found, key=lambda row: row[:3])
    result = results[i]
    steps: list[dict[str, Any]] = []
    for k, step, told in iter_told(worst.counterexample):
        one: dict[str, Any] = {
            "number": k, "lane": step.cpu, "text": f"{step.context} {step.function}",
            "note": ", ".join(told), "hint": step.source,
        }  # fmt: skip
        if step.violates:
            one["bad"] = True
            one["note"] = ", ".join([*step.violates, *told])
        steps.append(one)
    lanes = [f"CPU {c}" for c in range(result.scenario.cpus)]
    write_sequence(
        f"{worst.name}: violated after {worst.depth} steps", lanes, steps, path,
        sub=f"{result.program}, scenario {result.scenario.name}", command=command,
    )  # fmt: skip
    return True
