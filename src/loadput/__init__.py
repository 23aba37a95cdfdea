"""loadput: an executable specification of how Linux KVM loads a vCPU and puts it back.

The public names are those of `loadput.api`; each is imported when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

NAMES = (
    *("Choice", "Limits", "Program", "Property", "Result", "Scenario", "all_properties"),
    *("build_machine", "check", "compare", "link", "load_scenario", "make_scenario"),
    *("Followup", "Judged", "JudgedCommit", "TreeDrift", "drift", "follow", "judge"),
    "judge_range",
    *("read_trace", "render_function", "reproduce"),
)


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module 'loadput' has no attribute '{name}'")
    home = "loadput.trace" if name == "read_trace" else "loadput.api"
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(NAMES)


class _Package(ModuleType):
    """``check``, ``link`` and ``reproduce`` are packages too, which importing them would put in the
    functions' place: as an attribute, each is the function."""

    @property
    def check(self) -> Any:
        return __getattr__("check")

    @check.setter
    def check(self, package: ModuleType) -> None:
        """The import system's: it finds the package by its whole name."""

    @property
    def link(self) -> Any:
        return __getattr__("link")

    @link.setter
    def link(self, package: ModuleType) -> None:
        """The import system's."""

    @property
    def reproduce(self) -> Any:
        return __getattr__("reproduce")

    @reproduce.setter
    def reproduce(self, package: ModuleType) -> None:
        """The import system's."""


sys.modules[__name__].__class__ = _Package
