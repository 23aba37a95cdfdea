"""Symmetry reduction: which CPUs, tasks and vCPUs a program treats alike."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Machine


@dataclass(frozen=True, slots=True)
class Renaming:
    """One way to exchange CPUs and tasks: what each becomes, and what that makes of a state."""

    cpus: tuple[int, ...]
    tasks: tuple[int, ...]

    def apply(self, s: tuple[int, ...]) -> tuple[int, ...]:
        return s


@dataclass(frozen=True, slots=True)
class Symmetry:
    renamings: tuple[Renaming, ...]
    refused: tuple[str, ...]


def find_symmetry(m: Machine) -> Symmetry:
    return Symmetry((), ("not there yet",))
