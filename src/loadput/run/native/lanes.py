"""Reading and writing elements of packed arrays: instructions on the words ``%w0``, ``%w1`` …"""

from __future__ import annotations

from collections.abc import Iterable

from .expr import Code, signed
from .layout import Chunk, Lane

FULL = (1 << 64) - 1


class Lanes:
    """Element access on the working copy of a state; an element number is an operand."""

    def __init__(self, code: Code) -> None:
        self.c = code

    def get(self, lane: Lane, elem: str, within: Iterable[int]) -> str:
        """The code of element ``elem``, which is one of ``within`` and stored."""
        c = self.c
        chunks = _chunks(lane, elem, within)
        word = c.load(f"%w{chunks[0].word}")
        at = str(_origin(chunks[0], lane))
        for k in chunks[1:]:
            later = c.op(f"icmp sge i64 {elem}, {k.first}")
            word = c.select(later, c.load(f"%w{k.word}"), word)
            at = c.select(later, str(_origin(k, lane)), at)
        shift = c.bin("add", c.bin("mul", elem, str(lane.width)), at)
        low = c.bin("lshr", word, shift)
        return c.op(f"and i64 {low}, {signed(lane.mask)}")

    def put(self, lane: Lane, elem: str, code: str, within: Iterable[int]) -> None:
        """Write element ``elem``, one of ``within``; one that is not stored stays as it is."""
        self.change(lane, elem, within, lane.mask, code)

    def change(
        self, lane: Lane, elem: str, within: Iterable[int], mask: int, code: str, bit: int = 0
    ) -> None:
        """Write the bits ``mask`` (from ``bit`` up) of an element."""
        c = self.c
        spots = set(within)
        chunks = _chunks(lane, elem, spots)
        scaled = c.bin("mul", elem, str(lane.width))
        for k in chunks:
            ptr = f"%w{k.word}"
            shift = c.bin("add", scaled, str(_origin(k, lane) + bit))
            if shift.lstrip("-").isdigit():
                keep, new = signed(FULL & ~(mask << int(shift))), c.bin("shl", code, shift)
                if code.isdigit():
                    new = signed(int(code) << int(shift))
                c.store(c.bin("or", c.op(f"and i64 {c.load(ptr)}, {keep}"), new), ptr)
                continue
            hole, new = c.op(f"shl i64 {signed(mask)}, {shift}"), c.bin("shl", code, shift)
            if not spots <= set(range(k.first, k.first + k.count)):
                here = c.op(
                    f"icmp ult i64 {c.bin('sub', elem, str(k.first))}, {k.count}",
                )
                hole, new = c.select(here, hole, "0"), c.select(here, new, "0")
            word = c.op(f"and i64 {c.load(ptr)}, {c.op(f'xor i64 {hole}, -1')}")
            c.store(c.bin("or", word, new), ptr)


def _origin(k: Chunk, lane: Lane) -> int:
    return k.bit - k.first * lane.width


def _chunks(lane: Lane, elem: str, within: Iterable[int]) -> list[Chunk]:
    """The chunks that hold what ``elem`` can be; only the one, where it is a number."""
    spots = {int(elem)} if elem.isdigit() else set(within)
    return [k for k in lane.chunks if any(k.first <= i < k.first + k.count for i in spots)]
