"""Records to columns: gather one field of many records at once, as its format says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cursor import fail
from .fields import EventFormat, Field
from .pages import I64, U8

Column = NDArray[Any]


def as_whole(column: Column, default: int = -1) -> I64:
    """``column`` as int64: numbers as they are (64 bits kept), text that is no number ``default``.

    Text recordings may hold a damaged line; one of them must not make numbers into text.
    """
    if column.dtype.kind in "iub":
        return column.astype(np.int64)
    out = np.full(column.size, default, dtype=np.int64)
    for row, value in enumerate(column.tolist()):
        try:
            number = int(value, 16) if value[:2] in (b"0x", b"0X") else int(value)
        except (ValueError, TypeError):
            continue
        out[row] = (number + (1 << 63)) % (1 << 64) - (1 << 63)
    return out


def strided(data: U8, dtype: str) -> Column:
    """``data`` seen as values of ``dtype`` starting at every byte (no copy)."""
    item = np.dtype(dtype).itemsize
    return np.ndarray((max(data.size - item + 1, 0),), dtype, data, 0, (1,))


def is_plain(field: Field) -> bool:
    """Whether ``loops.decode`` can copy the field: a number, or text of a fixed length."""
    if field.kind in ("text", "hash"):
        return field.size > 0
    return field.kind == "int" and field.element_bytes in (1, 2, 4, 8)


def column_type(field: Field) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The dtype of a field's column, and the shape of one entry; see :func:`gather_field`."""
    if field.kind in ("dyntext", "dynarray", "resttext", "restarray"):
        return np.dtype(object), ()
    if field.kind == "hash":
        return np.dtype(np.int64), ()
    if field.kind == "int":
        is_number = field.element_bytes in (1, 2, 4, 8)
        return np.dtype(field.dtype if is_number else f"S{field.size}"), ()
    if field.kind == "text":
        return np.dtype(f"S{max(field.size, 1)}"), ()
    return np.dtype(field.dtype), (field.size // field.element_bytes,)


def gather_field(data: U8, offset: I64, size: I64, event: EventFormat, field: Field) -> Column:
    """Return ``field`` of the records at ``offset`` as one column.

    ``int``: a number column; ``text``: bytes ``S<n>``, cut at the first NUL; ``array``: two
    dimensions; ``dyntext``, ``dynarray`` and ``rest…``: an object column of bytes or of arrays.

    :param data: the bytes that hold the records
    :param offset: ``int64[n]``, start of each record
    :param size: ``int64[n]``, length of each record in bytes
    :raises TraceError: LP0605, a record shorter than its format says
    """
    _check_fits(offset, size, event, field)
    at = offset + field.offset
    if field.kind == "int":
        if field.element_bytes in (1, 2, 4, 8):
            return strided(data, field.dtype)[at]
        return strided(data, f"S{field.size}")[at]
    if field.kind == "text":
        return _cut_at_nul(strided(data, f"S{max(field.size, 1)}")[at])
    if field.kind == "array":
        raw = data[at[:, None] + np.arange(field.size)]
        out: Column = raw.view(field.dtype)
        return out
    if field.kind in ("resttext", "restarray"):
        return _cut_out(data, at, offset + size - at, field)
    return _gather_dynamic(data, offset, size, at, event, field)


def _check_fits(offset: I64, size: I64, event: EventFormat, field: Field) -> None:
    if offset.size and int(size.min()) < field.offset + field.size:
        row = int(size.argmin())
        fail(
            "LP0605",
            f"a record of {event.full_name} is shorter than its format says",
            file="decoded data",
            offset=int(offset[row]),
            section=f"event {event.full_name}, field {field.name}",
            got=f"{int(size[row])} bytes",
            expected=f"at least {field.offset + field.size}",
        )


def _cut_at_nul(column: Column) -> Column:
    # Bytes behind the NUL are whatever the kernel's buffer held before.
    width = column.dtype.itemsize
    if not column.size:
        return column
    raw = column.view(np.uint8).reshape(-1, width)
    ended = np.logical_or.accumulate(raw == 0, axis=1)
    return np.where(ended, 0, raw).astype(np.uint8).reshape(-1).view(f"S{width}")


def _gather_dynamic(
    data: U8, offset: I64, size: I64, at: I64, event: EventFormat, field: Field
) -> Column:
    word = strided(data, "<u4")[at].astype(np.int64)
    start, length = word & 0xFFFF, word >> 16
    if field.is_relative:
        start = start + field.offset + 4
    bad = np.flatnonzero(start + length > size)
    if bad.size:
        row = int(bad[0])
        fail(
            "LP0605",
            f"a dynamic field of {event.full_name} points outside its record",
            file="decoded data",
            offset=int(offset[row]),
            section=f"event {event.full_name}, field {field.name}",
            got=f"bytes {int(start[row])}..{int(start[row] + length[row])}",
            expected=f"within {int(size[row])} bytes",
        )
    return _cut_out(data, offset + start, length, field)


def _cut_out(data: U8, begin: I64, length: I64, field: Field) -> Column:
    # Bytes cut at the NUL, or an array of the whole elements that are there.
    out = np.empty(begin.size, dtype=object)
    for row, (low, high) in enumerate(zip(begin.tolist(), (begin + length).tolist(), strict=True)):
        piece = data[low:high].tobytes()
        if field.kind.endswith("text"):
            out[row] = piece.split(b"\0", 1)[0]
        else:
            whole = len(piece) // field.element_bytes * field.element_bytes
            out[row] = np.frombuffer(piece[:whole], dtype=field.dtype)
    return out
