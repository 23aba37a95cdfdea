"""The tables beside the specification that say what the kernel's names mean in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..lang.carry.bind import Bindings
from .overlay import SPEC, chain, get_overlay

FILE = "bindings.toml"


@cache
def bindings_of(arch: str, *more: Path) -> Bindings:
    """The table of ``arch``: the common one, its parents', its own; a later one's rules first."""
    out = Bindings()
    folders = [
        SPEC / "mainline",
        *(o.folder for o in chain(get_overlay("arch", arch, *more), *more)),
    ]
    for folder in folders:
        file = folder / FILE
        if file.is_file():
            out.read(file.read_text("utf-8"), f"spec/{folder.name}/{FILE}")
    return out
