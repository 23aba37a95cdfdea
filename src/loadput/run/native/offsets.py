"""Where things lie in the context of a search thread: one block of memory, offsets in bytes."""

from __future__ import annotations

from dataclasses import dataclass

RING = 64
INSERT_AFTER = 40
LOOK_AFTER = 20
FIELDS = (
    *("cur", "end", "next", "quota", "transitions", "bad", "pending", "states", "parents"),
    *("table", "size", "ordinal", "internal", "head", "tail", "step_seen", "state_seen", "status"),
)


@dataclass(frozen=True, slots=True)
class Offsets:
    """Offsets for states of ``words`` words and ``entries`` control points."""

    words: int
    entries: int
    DIGITS = 64
    LOG_SIZE = 4096

    def field(self, name: str) -> int:
        """The offset of one of ``FIELDS``."""
        return 8 * FIELDS.index(name)

    @property
    def bad(self) -> int:
        return self.field("bad")

    @property
    def pending(self) -> int:
        return self.field("pending")

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
    def log(self) -> int:
        """Segments of the step at hand that were not seen before."""
        return self.fired + 8 * self.entries

    @property
    def unseen(self) -> int:
        """Per segment a byte: 1 until a step that exists passes it."""
        return self.log + 4 * self.LOG_SIZE

    def size(self, segments: int) -> int:
        """Bytes of the whole context."""
        return self.unseen + segments + 64
