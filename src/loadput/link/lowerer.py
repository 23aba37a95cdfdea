"""Lowering of what a program can reach."""

from __future__ import annotations

from ..base.clock import look
from ..base.errors import SourceError
from ..ir import ops as o
from ..ir.decls import Decls
from ..ir.spec import verify
from ..lang import syntax as s
from ..lang.lower import Note, lower
from .layers import Layers
from .overlay import source_line
from .scenario import Scenario


class Lowerer:
    """Lowers what is called, and what that calls."""

    def __init__(self, lay: Layers, decls: Decls, scenario: Scenario) -> None:
        self.lay, self.decls, self.scenario = lay, decls, scenario
        self.done: dict[str, o.Function] = {}
        self.opaque: dict[str, list[str]] = {}
        self.notes: list[Note] = []
        self.todo: list[str] = []

    def need(self, name: str) -> None:
        """Note that the program calls ``name``."""
        if name not in self.done and name not in self.todo:
            self.todo.append(name)

    def run(self) -> None:
        """Lower what is noted, and what that calls; raises SourceError where a body can't be."""
        while self.todo:
            name = self.todo.pop(0)
            if name in self.done:
                continue
            look()
            self.done[name] = fn = self.lower(self.lay.defs[name])
            self.follow(fn)

    def lower(self, d: s.Def) -> o.Function:
        """A body, verified."""
        try:
            fn = lower(d, self.decls, infer=d.lang == "c", notes=self.notes, lenient=True)
        except SourceError as e:
            if e.line_text is None and e.span is not None:
                e.line_text = source_line(e.span)
            raise
        verify(fn, self.decls)
        return fn

    def follow(self, fn: o.Function) -> None:
        """Note what ``fn`` calls, and what nobody has a body of."""
        for b in fn.blocks:
            for op in b.ops:
                if isinstance(op, o.Call):
                    if op.fn in self.lay.defs:
                        self.need(op.fn)
                    else:
                        self.opaque.setdefault(op.fn, []).append(f"{fn.name} {op.span}")
