"""docs/properties.md names every property that ships, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "properties.md"
SPEC = ROOT / "src" / "loadput" / "spec"
OURS = {"NULL-DEREF", "IN-RANGE", "KERNEL-WARN", "PER-CPU-PINNED"}
NOT_PROPERTIES = {"KVM-RUN"}


def shipped() -> set[str]:
    out = set(OURS)
    for file in SPEC.rglob("*.py"):
        for m in re.finditer(r"@property_\(.*?\ndef ([A-Z0-9_]+)\(", file.read_text("utf-8"), re.S):
            out.add(m[1].replace("_", "-"))
    return out


def test_every_property_stands_on_the_page_and_nothing_else() -> None:
    name = r"\b[A-Z0-9]+(?:-[A-Z0-9]+)+\b|\b(?:ASYMMETRY|IBPB|URET)\b"
    words = set(re.findall(name, PAGE.read_text("utf-8")))
    assert words - NOT_PROPERTIES == shipped()
