"""Kernel C to the syntax tree that `lower` reads. Parsed with tree-sitter, never executed."""

from __future__ import annotations

from .config import DEFAULT_CONFIG
from .found import CFunction, Line
from .unit import find_c_functions, parse_c, parse_function

__all__ = ["DEFAULT_CONFIG", "CFunction", "Line", "find_c_functions", "parse_c", "parse_function"]
