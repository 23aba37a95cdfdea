"""Finding overlays: one folder each, described by its ``overlay.py``."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..base.errors import LinkError, SourceError
from ..base.source import Span
from ..ir.types import Type
from ..lang.pyfront import Module, parse_module

SPEC = Path(__file__).resolve().parent.parent / "spec"
KINDS = ("arch", "release", "design", "twin", "museum")
BROKEN = ("twin", "museum")
"""Laid over a design to break it: on purpose, or as it once was."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One folder of functions that are laid over others.

    :param design: of a release: the design that its own tree has
    :param arch: of a design or release: the only architecture it is written for, or ""
    :param release: of a twin: the only release it is written for, or ""
    :param signatures: functions whose signature it may change
    :param removes: functions it takes out
    :param breaks: of a twin: the property that it violates
    :param scenario: of a twin: the scenario that shows it, where the default one does not
    """

    kind: str
    name: str
    folder: Path
    parent: str = ""
    abstract: bool = False
    design: str = ""
    arch: str = ""
    release: str = ""
    source: str = ""
    signatures: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    breaks: str = ""
    scenario: str = ""
    doc: str = ""

    @property
    def label(self) -> str:
        """``kind:name``, as markers and reports write it."""
        return f"{self.kind}:{self.name}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(w.strip() for w in text.split(",") if w.strip())


def _read_overlay(kind: str, file: Path) -> Overlay:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    for n in tree.body:
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call):
            kw = {str(k.arg): ast.literal_eval(k.value) for k in n.value.keywords}
            for key in ("signatures", "removes"):
                kw[key] = _words(kw.get(key, ""))
            known = set(Overlay.__dataclass_fields__)
            if not set(kw) <= known or "name" not in kw:
                break
            return Overlay(kind, folder=file.parent, doc=ast.get_docstring(tree) or "", **kw)
    raise SourceError(
        "LP0211",
        f"no OVERLAY in {file.name}",
        span=Span(_shown(file), 1),
        expected='OVERLAY = Overlay(name="…", …)',
        next="docs/new-arch.md shows one",
    )


def _shown(path: Path) -> str:
    try:
        return "spec/" + str(path.relative_to(SPEC))
    except ValueError:
        return str(path)


@cache
def find_overlays(kind: str, *more: Path) -> dict[str, Overlay]:
    """Every overlay of ``kind`` by name, found in the shipped spec and in the folders ``more``."""
    out: dict[str, Overlay] = {}
    for root in (SPEC, *more):
        for file in sorted((root / kind).glob("*/overlay.py")):
            overlay = _read_overlay(kind, file)
            out[overlay.name] = overlay
    return out


def get_overlay(kind: str, name: str, *more: Path) -> Overlay:
    """The overlay ``name``; raises LinkError LP0401 with what there is."""
    known = find_overlays(kind, *more)
    if name in known and not known[name].abstract:
        return known[name]
    names = [n for n, v in known.items() if not v.abstract]
    near = difflib.get_close_matches(name, names, 1)
    raise LinkError(
        "LP0401",
        f"no {kind} '{name}'" + (f"; nearest: {near[0]}" if near else ""),
        available=", ".join(names),
        next="loadput list",
    )


def get_broken(name: str, *more: Path) -> Overlay:
    """The twin or the museum's entry ``name``; raises LinkError LP0401 with the twins."""
    kind = "museum" if name in find_overlays("museum", *more) else "twin"
    return get_overlay(kind, name, *more)


def chain(overlay: Overlay, *more: Path) -> list[Overlay]:
    """``overlay`` with its parents, outermost first; the parent "D" of a design is mainline."""
    out = [overlay]
    while out[0].parent:
        known = find_overlays(overlay.kind, *more)
        if out[0].parent not in known and overlay.kind in BROKEN:
            break
        if out[0].parent not in known or known[out[0].parent] in out:
            raise LinkError(
                "LP0402",
                f"{out[0].label} has the parent '{out[0].parent}'",
                expected=f"one of {', '.join(known)}, without a cycle",
            )
        out.insert(0, known[out[0].parent])
    return out


def load_modules(
    folder: Path, origin: str, aliases: dict[str, Type], *, arch: bool = False
) -> list[Module]:
    """Parse every file of ``folder``, sorted by path; ``arch/`` below it only where asked.

    Raises SourceError with the place and the line.
    """
    out = []
    for file in sorted(folder.rglob("*.py")):
        inner = file.relative_to(folder).parts
        if file.name in ("overlay.py", "__init__.py") or (inner[0] == "arch" and not arch):
            continue
        text = _read(file)
        out.append(parse_module(text, _shown(file), origin, aliases))
    return out


@cache
def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def source_line(span: Span) -> str | None:
    """The text of the line that ``span`` points to, where the file can be found; else None."""
    path = SPEC / span.file[5:] if span.file.startswith("spec/") else Path(span.file)
    try:
        lines = _read(path).splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return lines[span.line - 1] if 0 < span.line <= len(lines) else None
