"""The task state in sched_switch, read by the print format that the recording carries."""

from __future__ import annotations

import ast
import re

import numpy as np
from numpy.typing import NDArray

from ..table import Trace

BOOL = NDArray[np.bool_]

_PLUS = re.compile(r"REC->prev_state\s*&\s*(\([^?\"]*?\)|0x[0-9a-fA-F]+|\d+)\s*\?\s*\"\+\"")
_FLAGS = re.compile(r"__print_flags\(REC->prev_state[^{]*\{(.*?)\}\s*\)")
_PAIR = re.compile(r"(0x[0-9a-fA-F]+|\d+)\s*,\s*\"([^\"]*)\"")


def evaluate(text: str) -> int:
    """Value of a C constant expression of numbers, ``( ) + - | & << >> ~``.

    :raises ValueError: anything else in it
    """
    return _value(ast.parse(text.strip(), mode="eval").body)


def _value(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.USub):
        inner = _value(node.operand)
        return ~inner if isinstance(node.op, ast.Invert) else -inner
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.LShift) and 0 <= right < 64:
            return left << right
        if isinstance(node.op, ast.RShift) and 0 <= right < 64:
            return left >> right
        simple = {
            ast.Add: left + right, ast.Sub: left - right,
            ast.BitOr: left | right, ast.BitAnd: left & right,
        }  # fmt: skip
        if type(node.op) in simple:
            return simple[type(node.op)]
    raise ValueError("no constant expression")


def state_bits(print_fmt: str) -> tuple[int, int]:
    """(mask of the not-runnable states, bit of "+"), each 0 where the format does not say."""
    plus = 0
    match = _PLUS.search(print_fmt)
    if match is not None:
        try:
            plus = evaluate(match[1])
        except (ValueError, SyntaxError, RecursionError):
            plus = 0
    mask = 0
    flags = _FLAGS.search(print_fmt)
    if flags is not None:
        for number, _ in _PAIR.findall(flags[1]):
            mask |= int(number, 16) if number[:2].lower() == "0x" else int(number)
    return mask, plus


def runnable_states(trace: Trace, event: str, state: NDArray[np.generic]) -> tuple[BOOL, BOOL]:
    """(runnable, preempted) for a prev_state column: numbers by the recording's print format,
    letters as printed (``R``, ``R+``). Empty arrays where neither can be read."""
    none = np.zeros(0, dtype=np.bool_)
    if state.dtype.kind == "S":
        text = state.astype(np.bytes_)
        first = np.char.startswith(text, b"R")
        return np.asarray(first), np.asarray(np.char.endswith(text, b"+") & first)
    if state.dtype.kind not in "iu":
        return none, none
    mask, plus = state_bits(trace.print_format(event))
    if not mask:
        mask = _COMMON_STATES
    value = state.astype(np.int64)
    forced = (value & plus) != 0 if plus else np.zeros(value.size, dtype=np.bool_)
    return ((value & mask) == 0) | forced, forced


# S, D, T, t, X, Z, P, I of __trace_sched_switch_state(): only where a file has no print format.
_COMMON_STATES = 0xFF
