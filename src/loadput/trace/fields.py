"""Event formats: the kernel's own description of a record, as it stands in the file.

Nothing here knows an event by name. A record is decoded by the ``field:`` lines that the
recording carries, so a new kernel, a new tracepoint or somebody's kprobe needs no new code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from loadput.base.errors import TraceError

_FIELD = re.compile(
    r"^\s*field:\s*(?P<decl>[^;]+);\s*offset:\s*(?P<offset>\d+);\s*size:\s*(?P<size>\d+);"
    r"(?:\s*signed:\s*(?P<signed>\d+);)?",
    re.M,
)
_DYNAMIC = re.compile(r"__(data|rel)_loc\s+(.*)")
_DECLARED = re.compile(r"(?P<type>.*?)(?P<name>\w+)\s*(?:\[(?P<n>[^\]]*)\])?$")
_DYNAMIC_DECLARED = re.compile(r"(?P<type>.*?)\s*\[(?P<n>[^\]]*)\]\s*(?P<name>\w+)$")
_CHARS = frozenset({"char", "unsigned char", "signed char", "const char", "__u8 char"})
# Sizes of the element types of arrays whose element count is not written in the declaration.
_ELEMENT_BYTES = {
    "char": 1, "unsigned char": 1, "signed char": 1, "u8": 1, "__u8": 1, "s8": 1, "bool": 1,
    "short": 2, "unsigned short": 2, "u16": 2, "__u16": 2, "s16": 2, "__le16": 2, "__be16": 2,
    "int": 4, "unsigned int": 4, "unsigned": 4, "u32": 4, "__u32": 4, "s32": 4, "pid_t": 4,
    "__le32": 4, "__be32": 4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    ``kind`` is ``int`` (one number), ``array`` (``count`` numbers), ``text`` (``size`` bytes,
    NUL-ended), ``dyntext`` or ``dynarray`` (a 4-byte location word: offset, length), where
    ``is_relative`` says that the offset counts from the end of the word; ``resttext`` or
    ``restarray`` (size 0: what stands up to the record's end); ``hash`` (of a whole record, in no
    format).
    """

    name: str
    decl: str
    offset: int
    size: int
    is_signed: bool
    kind: str
    element_bytes: int
    is_relative: bool = False

    @property
    def dtype(self) -> str:
        """NumPy dtype of one element, little-endian."""
        if self.element_bytes not in (1, 2, 4, 8):
            return f"V{self.element_bytes}"
        return f"<{'i' if self.is_signed else 'u'}{self.element_bytes}"


@dataclass(frozen=True, slots=True)
class EventFormat:
    """One event: its name, system, number in this recording, fields and print format."""

    name: str
    system: str
    id: int
    fields: dict[str, Field]
    common: dict[str, Field]
    print_fmt: str

    @property
    def full_name(self) -> str:
        return f"{self.system}:{self.name}" if self.system else self.name


def parse_event_format(text: str, system: str, *, where: str = "") -> EventFormat:
    """Read one ``events/<system>/<event>/format`` file.

    :raises TraceError: LP0604, no name, no ID, or a field line that contradicts itself
    """
    name = re.search(r"^name:\s*(\S+)", text, re.M)
    number = re.search(r"^ID:\s*(\d+)", text, re.M)
    if name is None or number is None:
        raise TraceError(
            "LP0604",
            f"an event format of system {system!r} has no name or ID",
            where=where,
            got=repr(text[:60]),
            expected="`name: <event>` and `ID: <number>` lines",
        )
    own: dict[str, Field] = {}
    common: dict[str, Field] = {}
    for match in _FIELD.finditer(text):
        field = _parse_field(match, f"{system}:{name[1]}", where)
        (common if field.name.startswith("common_") else own)[field.name] = field
    fmt = re.search(r"^print fmt:\s*(.*)", text, re.M | re.S)
    return EventFormat(name[1], system, int(number[1]), own, common, fmt[1].strip() if fmt else "")


def _parse_field(match: re.Match[str], event: str, where: str) -> Field:
    decl = match["decl"].strip()
    offset, size = int(match["offset"]), int(match["size"])
    signed = match["signed"] == "1"
    dynamic = _DYNAMIC.match(decl)
    body = dynamic[2] if dynamic else decl
    parts = _DECLARED.match(body)
    if dynamic:  # `__data_loc char[] name`
        parts = _DYNAMIC_DECLARED.match(body) or parts
    if parts is None or size > 1 << 20 or offset > 1 << 20:
        raise TraceError(
            "LP0604",
            f"unreadable field of event {event}",
            where=where,
            got=match[0].strip()[:80],
            expected="field:<type> <name>[n]; offset:<n>; size:<n>; signed:<0|1>;",
        )
    kind_type = parts["type"].strip()
    if dynamic:
        if size != 4:
            raise TraceError(
                "LP0604",
                f"dynamic field {parts['name']} of event {event} has a wrong size",
                where=where,
                got=f"size:{size}",
                expected="size:4 (offset and length in 16 bits each)",
            )
        kind = "dyntext" if kind_type in _CHARS else "dynarray"
        each = _ELEMENT_BYTES.get(kind_type, 1 if kind == "dyntext" else 8)
        return Field(parts["name"], decl, offset, size, signed, kind, each, dynamic[1] == "rel")
    if size == 0:
        is_text = kind_type in _CHARS
        each = _ELEMENT_BYTES.get(kind_type, 1 if is_text else 8)
        kind = "resttext" if is_text else "restarray"
        return Field(parts["name"], decl, offset, 0, signed, kind, each)
    if parts["n"] is None:
        return Field(parts["name"], decl, offset, size, signed, "int", size)
    if kind_type in _CHARS:
        return Field(parts["name"], decl, offset, size, signed, "text", 1)
    count = int(parts["n"]) if parts["n"].strip().isdigit() else 0
    each = size // count if count and size % count == 0 else _ELEMENT_BYTES.get(kind_type, 8)
    each = each if each in (1, 2, 4, 8) and size % each == 0 else 1
    return Field(parts["name"], decl, offset, size, signed, "array", each)
