"""Where things lie in the context of a search thread: one block of memory, offsets in bytes."""

from __future__ import annotations

from dataclasses import dataclass

RING = 64
INSERT_AFTER = 40
LOOK_AFTER = 20
FIELDS = (
    *("cur", "end", "next", "quota", "transitions", "bad", "states", "parents"),
    *("table", "lines", "ordinal", "internal", "head", "tail", "step_seen", "state_seen", "status"),
    *("faults", "ample"),
)


@dataclass(frozen=True, slots=True)
class Offsets:
    """Offsets for states of ``words`` words and ``entries`` control points.

    :param masks: numbers of 64 bits that say which segments a step passed
    """

    words: int
    entries: int
    masks: int
    DIGITS = 64

    def field(self, name: str) -> int:
        """The offset of one of ``FIELDS``."""
        return 8 * FIELDS.index(name)

    @property
    def bad(self) -> int:
        return self.field("bad")

    @property
    def digits(self) -> int:
        """Pairs (value, greatest value), one per choice of the step."""
        return 256

    @property
    def ring(self) -> int:
        """Candidates on their way into the table: words, tag, parent."""
        return self.digits + 16 * self.DIGITS

    @property
    def stride(self) -> int:
        return 8 * (self.words + 2)

    @property
    def step_at(self) -> int:
        """Per property the first violating step: state, number of the step."""
        return self.ring + RING * self.stride

    @property
    def state_at(self) -> int:
        """Per property the first violating state."""
        return self.step_at + 64 * 16

    @property
    def fired(self) -> int:
        """Steps per entry."""
        return self.state_at + 64 * 8

    @property
    def passed(self) -> int:
        """The segments of the step at hand."""
        return self.fired + 8 * self.entries

    @property
    def seen(self) -> int:
        """Per entry, the segments of every step so far."""
        return self.passed + 8 * self.masks

    @property
    def size(self) -> int:
        """Bytes of the whole context."""
        return self.seen + 8 * self.masks * self.entries
