"""What is explored: a program, what its check found, and the program that stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..check.verdict import VIOLATED, PropertyResult, Result
from .beside import Beside, Pair
from .kernel import KernelText
from .space import Space
from .view import JSON, Viewer


@dataclass(frozen=True, slots=True)
class Run:
    """A schedule worth showing, and the property that it is about."""

    name: str
    property: str
    steps: tuple[int, ...]


@dataclass
class Subject:
    """One program to explore.

    :param command: explores it again; ``replay`` is the one that replays a schedule of it
    :param beside: another program, taken along on each schedule; ``beside_title`` names it
    """

    space: Space
    title: str
    command: str
    replay: str
    beside: Space | None = None
    beside_title: str = ""
    beside_name: str = ""
    runs: list[Run] = field(default_factory=list)
    verdict: str = ""
    kernel: KernelText | None = None

    def __post_init__(self) -> None:
        self.viewer = Viewer(self.space)
        self._pairs = Beside(self.space, self.beside) if self.beside is not None else None

    def meta(self) -> JSON:
        """What the page is told once."""
        out = self.viewer.meta()
        out |= {"title": self.title, "command": self.command, "replay": self.replay}
        out["verdict"] = self.verdict
        if self._pairs is not None:
            out["beside"] = {"title": self.beside_title, "name": self.beside_name}
        if self.kernel is not None:
            out["kernel"] = self.kernel.beside(out["functions"])
        return out

    def pairs(self, steps: Sequence[int]) -> list[JSON]:
        """What the other program does on a schedule, as the page wants it."""
        return [_pair(p) for p in self._pairs.along(steps)] if self._pairs is not None else []

    def told_runs(self, *, pairs: bool = False) -> list[JSON]:
        """The schedules, and with ``pairs`` what the other program does on each."""
        out: list[dict[str, Any]] = []
        for r in self.runs:
            one: JSON = {"name": r.name, "property": r.property, "steps": list(r.steps)}
            if pairs and self._pairs is not None:
                one["pairs"] = self.pairs(r.steps)
            out.append(one)
        return out

    def learn(self, result: Result, names: Sequence[str] = ()) -> None:
        """Take the counterexamples of a check of this program, shortest first.

        One that cannot be followed here is left out: the check has then explored the program
        otherwise than it is shown.
        """
        bad = [p for p in result.properties if p.verdict == VIOLATED]
        bad = [p for p in bad if not names or p.name in names]
        self.verdict = result.verdict
        for p in sorted(bad, key=lambda p: (p.depth or 0, p.name)):
            if (run := self._run(p)) is not None:
                self.runs.append(run)

    def _run(self, p: PropertyResult) -> Run | None:
        steps = self.space.indices(p.path)
        if len(steps) < len(p.path):
            return None
        return Run(f"{p.name}: violated, {len(steps)} steps", p.name, tuple(steps))


def _pair(p: Pair) -> JSON:
    return {"how": p.how, "why": p.why, "differs": [list(d) for d in p.differs]}
