"""Readers of what a user gives: a mail, an mbox series, a diff, a C file, a kernel tree."""

from __future__ import annotations

from .patch import FieldHint, Patch, Unread
from .read import read_input, read_inputs, read_text
from .repo import Commit, read_range
from .tree import TreeFunctions, read_tree

__all__ = [
    "Commit",
    "FieldHint",
    "Patch",
    "TreeFunctions",
    "Unread",
    "read_input",
    "read_inputs",
    "read_range",
    "read_text",
    "read_tree",
]
