"""Bounded types: every value is a small integer, so every state has a fixed number of bits.

A pointer is 0 for NULL and index + 1 for an instance. A token is "whose value, and is it the
current one": 0 nobody's, 2i + 1 owner i current, 2i + 2 owner i stale.
"""

from __future__ import annotations

from dataclasses import dataclass

DOMAINS = ("one", "cpu", "task", "vcpu", "vm")


@dataclass(frozen=True, slots=True)
class Int:
    """An integer in ``lo..hi``, both included. ``bool`` is ``Int(0, 1)``."""

    lo: int
    hi: int

    def __str__(self) -> str:
        return "bool" if (self.lo, self.hi) == (0, 1) else f"int[{self.lo}..{self.hi}]"


@dataclass(frozen=True, slots=True)
class CpuId:
    """A CPU number, or -1."""

    def __str__(self) -> str:
        return "cpu"


@dataclass(frozen=True, slots=True)
class Ptr:
    """A pointer to an instance of ``struct``, or NULL."""

    struct: str

    def __str__(self) -> str:
        return f"ptr[{self.struct}]"


@dataclass(frozen=True, slots=True)
class Embed:
    """A struct held by value inside another: same instance number, another name."""

    struct: str

    def __str__(self) -> str:
        return f"embed[{self.struct}]"


@dataclass(frozen=True, slots=True)
class Token:
    """The content of a register or saved slot: an owner in ``domain``, current or stale.

    ``kind`` groups the places that hold copies of one thing (``fs``: the FS base).
    """

    kind: str
    domain: str

    def __str__(self) -> str:
        return f"token[{self.kind}, {self.domain}]"


@dataclass(frozen=True, slots=True)
class Array:
    """A small array inside a struct or a global; ``length`` is a number or a domain."""

    elem: Type
    length: int | str

    def __str__(self) -> str:
        return f"array[{self.elem}, {self.length}]"


@dataclass(frozen=True, slots=True)
class Void:
    """No value."""

    def __str__(self) -> str:
        return "void"


Type = Int | CpuId | Ptr | Embed | Token | Array | Void

BOOL = Int(0, 1)
VOID = Void()
CPU = CpuId()


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many instances of each domain a scenario has."""

    cpu: int
    task: int
    vcpu: int
    vm: int

    def count(self, domain: str) -> int:
        """Instances of ``domain``; 1 for ``one``."""
        return 1 if domain == "one" else int(getattr(self, domain))


def bounds(t: Type, sizes: Sizes, count_of: dict[str, int]) -> tuple[int, int]:
    """Return the least and greatest value of scalar type ``t``.

    :param count_of: instances per struct name, for pointers
    """
    if isinstance(t, Int):
        return t.lo, t.hi
    if isinstance(t, CpuId):
        return -1, sizes.cpu - 1
    if isinstance(t, Ptr):
        return 0, count_of[t.struct]
    if isinstance(t, Token):
        return 0, 2 * sizes.count(t.domain)
    raise TypeError(f"no scalar: {t}")


def parse_type(text: str) -> Type:
    """Return the type that ``str(type)`` printed; raises ValueError."""
    text = text.strip()
    if text in ("void", "bool", "cpu"):
        named: dict[str, Type] = {"void": VOID, "bool": BOOL, "cpu": CPU}
        return named[text]
    head, _, rest = text.partition("[")
    if not rest.endswith("]"):
        raise ValueError(text)
    body = rest[:-1]
    if head == "int":
        lo, _, hi = body.partition("..")
        return Int(int(lo), int(hi))
    if head in ("ptr", "embed"):
        return Ptr(body) if head == "ptr" else Embed(body)
    left, _, right = body.rpartition(",")
    if head == "token":
        return Token(left.strip(), right.strip())
    if head == "array":
        length = right.strip()
        return Array(parse_type(left), int(length) if length.isdigit() else length)
    raise ValueError(text)
