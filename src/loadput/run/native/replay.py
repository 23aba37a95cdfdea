"""Replaying what the native engine found on the interpreter, which decides."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from ...base.errors import InternalError
from ...base.output import make_folder
from ...ir.text import render_function
from ..exploration import Violations
from ..interp import Action, Interpreter
from ..reduce import Plan, walk_back

if TYPE_CHECKING:
    from .build import Native


class Run(Protocol):
    """A search that has ended: what it found, and the states on the way to each."""

    @property
    def native(self) -> Native: ...

    @property
    def violations(self) -> Violations: ...

    def way_to(self, number: int) -> list[tuple[int, ...]]:
        """The states from the first to ``number``."""


def replay_paths(run: Run) -> dict[str, list[Action]]:
    """Return the path of each violation, as actions; raises InternalError LP0900."""
    m = run.native.machine
    it = Interpreter(m)
    out = {}
    for prop, (_, kind, number, ordinal) in run.violations.best.items():
        states = run.way_to(number)
        if states[0] != m.initial:
            raise_disagreement(run.native, f"the path of {prop} does not begin at the start", [])
        actions: list[Action] = []
        for s, new in pairwise(states):
            step = next((x for x in it.steps(s) if x.state == new), None)
            if step is None:
                what = f"no step of the interpreter leads on, {len(actions)} steps to {prop}"
                raise_disagreement(run.native, what, actions, s, new)
            actions.append(step.action)
        bit = 1 << m.props.index(prop)
        steps = list(it.steps(states[-1]))
        if kind == 0:
            if ordinal >= len(steps) or not steps[ordinal].violated & bit:
                what = f"step {ordinal} of the interpreter does not violate {prop}"
                raise_disagreement(run.native, what, actions, states[-1])
            actions.append(steps[ordinal].action)
        else:
            if not it.violated_by(states[-1], it.is_stuck(steps)) & bit:
                what = f"the state does not violate {prop} for the interpreter"
                raise_disagreement(run.native, what, actions, states[-1])
        out[prop] = actions
    return out


def reduced_paths(run: Run, plan: Plan) -> dict[str, list[Action]]:
    """Some path to each violation that a reduced search found."""
    it = Interpreter(run.native.machine)
    return {
        prop: walk_back(it, plan, run.way_to(number), prop, kind)
        for prop, (_, kind, number, _) in run.violations.best.items()
    }


def raise_disagreement(
    native: Native, what: str, actions: list[Action], *states: tuple[int, ...]
) -> NoReturn:
    """Write a repro folder and raise InternalError LP0900."""
    folder = store_repro(native, what, actions, states)
    raise InternalError(
        "LP0900",
        "the native engine and the interpreter disagree",
        got=what,
        expected="the same steps from the same states",
        next=f"please report it with the folder {folder}",
    )


def store_repro(
    native: Native, what: str, actions: list[Action], states: tuple[tuple[int, ...], ...]
) -> Path:
    """Write what is needed to see the disagreement again; return the folder."""
    folder = make_folder("loadput-repro-")
    if folder is None:
        return Path("(none could be made)")
    m = native.machine
    names = [s.name for s in m.slots]
    lines = [what, "", f"program: {m.program.choice}", f"scenario: {m.program.scenario}", ""]
    lines += [f"{i + 1:4d} {a}" for i, a in enumerate(actions)]
    for s in states:
        lines += ["", "state:", *(f"  {n} = {x}" for n, x in zip(names, s, strict=True))]
    (folder / "what.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "native.ll").write_text(native.step + native.loop, encoding="utf-8")
    program = "\n".join(render_function(f) for _, f in sorted(m.program.functions.items()))
    (folder / "program.ir").write_text(program, encoding="utf-8")
    return folder
