"""Where the recordings are, and how to ask whether one conforms."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.conform import Conformance, conform_trace
from loadput.trace import read_trace

TESTS = Path(__file__).resolve().parents[1]
FIXTURES = TESTS / "trace" / "fixtures"
SHARED = TESTS.parents[1] / "shared" / "traces"
EXAMPLES = TESTS.parent / "examples"
OVERLAYS = EXAMPLES / "overlays"


def find_recording(name: str) -> Path:
    """A fixture, or a full recording (``folder/file``); skips the test where that is not here."""
    if "/" not in name:
        return next(f / name for f in (FIXTURES, EXAMPLES) if (f / name).exists())
    if not SHARED.is_dir():
        pytest.skip("the full recordings (../shared/traces) are not here")
    return SHARED / name


def conform(name: str, release: str = "", twin: str = "") -> Conformance:
    """Hold a recording against a release, or all, with the damaged specifications at hand."""
    trace = read_trace(str(find_recording(name)))
    return conform_trace(trace, release=release, twin=twin, search=(OVERLAYS,))


def diverging(result: Conformance) -> dict[str, int]:
    """What diverged from the first release of ``result``, by aspect."""
    return {c.aspect: c.diverging for c in result.fits[0].counts if c.diverging}
