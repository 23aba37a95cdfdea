"""What every function of the search module is written with: fields, words of a state, the ring."""

from __future__ import annotations

from .expr import Code
from .layout import Layout
from .offsets import RING, Offsets


class Pieces:
    """Writes the accesses to what a search holds."""

    def __init__(self, layout: Layout, at: Offsets) -> None:
        self.layout, self.at = layout, at

    def _field(self, c: Code, name: str) -> str:
        return c.op(f"getelementptr i8, ptr %ctx, i64 {self.at.field(name)}")

    def get(self, c: Code, name: str) -> str:
        return c.load(self._field(c, name))

    def set(self, c: Code, name: str, value: str) -> None:
        c.store(value, self._field(c, name))

    def bump(self, c: Code, name: str) -> str:
        """Add 1 to a field; return what it was."""
        p = self._field(c, name)
        was = c.load(p)
        c.store(c.op(f"add i64 {was}, 1"), p)
        return was

    def ring(self, c: Code, number: str) -> str:
        """The address of the slot in which candidate ``number`` waits."""
        k = c.op(f"and i64 {number}, {RING - 1}")
        off = c.op(f"mul i64 {k}, {self.at.stride}")
        return c.op(f"getelementptr i8, ptr %ctx, i64 {c.bin('add', off, str(self.at.ring))}")

    def word(self, c: Code, ptr: str, i: int) -> str:
        """Word ``i`` of what is at ``ptr``."""
        return c.load(c.op(f"getelementptr i64, ptr {ptr}, i64 {i}")) if i else c.load(ptr)

    def state(self, c: Code, number: str) -> str:
        """The address of a state that is known, by its number."""
        off = c.op(f"mul i64 {number}, {8 * self.layout.words}")
        return c.op(f"getelementptr i8, ptr {self.pointer(c, 'states')}, i64 {off}")

    def pointer(self, c: Code, name: str) -> str:
        return c.op(f"load ptr, ptr {self._field(c, name)}")


def define(head: str, c: Code, attrs: str, *, internal: bool = True) -> str:
    """A function of the module; ``internal``: nobody calls it from outside."""
    word = "define internal" if internal else "define"
    return "\n".join([f"{word} {head} {attrs} nounwind {{", *c.lines, "}", ""])
