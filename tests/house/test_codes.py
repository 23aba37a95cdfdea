"""Every error code that is raised is explained, and none is explained that is not raised."""

from __future__ import annotations

import re
from pathlib import Path

from loadput.report.codes import CODES

SRC = Path(__file__).resolve().parents[2] / "src" / "loadput"


def test_codes_raised_and_codes_explained_are_the_same() -> None:
    files = [f for f in SRC.rglob("*.py") if f.name != "codes.py"]
    raised = {c for f in files for c in re.findall(r'"(LP\d{4})"', f.read_text("utf-8"))}
    assert raised - CODES.keys() == set(), "raised, not explained"
    assert CODES.keys() - raised == set(), "explained, never raised"
