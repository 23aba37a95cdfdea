"""Traces of real kernels as columns: ``read_trace(path)`` and what it gives."""

from __future__ import annotations

from .decode import Column
from .metadata import Missing
from .reader import read_trace
from .table import Columns, EventCounts, Trace, decode_flags

__all__ = [
    "Column",
    "Columns",
    "EventCounts",
    "Missing",
    "Trace",
    "decode_flags",
    "read_trace",
]
