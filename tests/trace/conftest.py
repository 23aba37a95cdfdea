"""Where the fixtures and the full recordings are, and how to make a damaged copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "traces"


@pytest.fixture
def fixtures() -> Path:
    return FIXTURES


@pytest.fixture
def shared() -> Path:
    """The full recordings; the test is skipped where they are not."""
    if not SHARED.is_dir():
        pytest.skip("the full recordings (../shared/traces) are not here")
    return SHARED


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], str]:
    """Write bytes to a file and give its name."""

    def _write(data: bytes) -> str:
        path = tmp_path / "recording"
        path.write_bytes(data)
        return str(path)

    return _write
