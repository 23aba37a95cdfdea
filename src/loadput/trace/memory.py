"""Loads and stores at an address: what the words of ``loops.py`` mean when Python itself runs it.

Machine code has them as single instructions (``machine.py``). Little-endian; ``i64`` is signed,
the others are not; a store keeps the low bits of its value.
"""

from __future__ import annotations

from ctypes import c_int64, c_uint8, c_uint16, c_uint32, c_uint64


def u8(at: int) -> int:
    return c_uint8.from_address(at).value


def u16(at: int) -> int:
    return c_uint16.from_address(at).value


def u32(at: int) -> int:
    return c_uint32.from_address(at).value


def i64(at: int) -> int:
    return c_int64.from_address(at).value


def put8(at: int, value: int) -> None:
    c_uint8.from_address(at).value = value


def put16(at: int, value: int) -> None:
    c_uint16.from_address(at).value = value


def put32(at: int, value: int) -> None:
    c_uint32.from_address(at).value = value


def put64(at: int, value: int) -> None:
    c_uint64.from_address(at).value = value
