"""A program and its machine, each made when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..link.opaque import fix_opaque
from ..link.program import Choice, Program, link
from ..link.scenario import Scenario
from .model import Machine, build_machine


@dataclass(slots=True)
class Built:
    """What a choice and a scenario come to.

    It is sent to another process without its machine, which is made there again if somebody asks.

    :param opaque: what has no value in the model is ``any``, always the ``low`` or the ``high`` one
    :param fusing: False: every access to memory is a step of its own
    """

    choice: Choice
    scenario: Scenario
    opaque: str = "any"
    fusing: bool = True
    _program: Program | None = field(default=None, repr=False, compare=False)
    _machine: Machine | None = field(default=None, repr=False, compare=False)

    @property
    def program(self) -> Program:
        """The linked program; raises what `link` raises."""
        if self._program is None:
            self._program = fix_opaque(link(self.choice, self.scenario), self.opaque)
        return self._program

    @property
    def machine(self) -> Machine:
        """The machine of the program; raises what `build_machine` raises."""
        if self._machine is None:
            self._machine = build_machine(self.program, fusing=self.fusing)
        return self._machine

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.choice, self.scenario, self.opaque, self.fusing)
