"""The search: memory, threads, limits, and the paths back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...machine.model import Machine
from ..explore import Exploration, Limits, Progress, explore_interp

if TYPE_CHECKING:
    pass


def explore_native(m: Machine, limits: Limits, progress: Progress | None) -> Exploration:
    """Explore ``m`` natively."""
    return explore_interp(m, limits, progress)
