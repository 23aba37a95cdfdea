"""Three bodies of a function: C before, C after and ours; what the first two differ in, on ours."""

from __future__ import annotations

from ..show import render_body, render_expr, render_stmt
from .carry import CARRIED, NOT_JUDGED, NOTHING, Carried, Carrier, Outcome, body_diff, place_of
from .edits import Edit, find_edits
from .effect import Effects
from .fixed import never_there
from .laid import differ, distances, parts_alone
from .nodes import Names, Node, is_silent, tree_of

__all__ = [
    "CARRIED",
    "NOTHING",
    "NOT_JUDGED",
    "Carried",
    "Carrier",
    "Edit",
    "Effects",
    "Names",
    "Node",
    "Outcome",
    "body_diff",
    "differ",
    "distances",
    "find_edits",
    "is_silent",
    "never_there",
    "parts_alone",
    "place_of",
    "render_body",
    "render_expr",
    "render_stmt",
    "tree_of",
]
