"""Programs with a bug that was written by hand: one shipped function, edited."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

from loadput.check.verdict import Result, check
from loadput.link.overlay import SPEC
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario


@dataclass(frozen=True, slots=True)
class Bug:
    """``edits`` of function ``fn`` of a file of the specification: the old text, and the new."""

    name: str
    arch: str
    file: str
    fn: str
    edits: tuple[tuple[str, str], ...]
    finds: frozenset[str] = field(default_factory=frozenset)
    scenario: str = "one"


def edited(bug: Bug) -> str:
    """The function's text with the bug; each old text stands there once."""
    text = (SPEC / bug.file).read_text("utf-8")
    fn = next(
        n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == bug.fn
    )
    first = min(d.lineno for d in [fn, *fn.decorator_list])
    body = "\n".join(text.splitlines()[first - 1 : fn.end_lineno]) + "\n"
    for old, new in bug.edits:
        assert body.count(old) == 1, f"{bug.name}: {old!r} is there {body.count(old)} times"
        body = body.replace(old, new)
    return body


def judge(bug: Bug, folder: Path, *, fusing: bool = True) -> Result:
    """The verdict on the program with the bug, which is laid over mainline as a twin."""
    home = folder / "twin" / "handmade"
    home.mkdir(parents=True, exist_ok=True)
    (home / "overlay.py").write_text(
        '"""Broken by hand."""\n\nOVERLAY = Overlay(name="handmade", parent="D")\n', "utf-8"
    )
    (home / "bug.py").write_text(f"# [Modified in twin:handmade]\n{edited(bug)}", "utf-8")
    choice = Choice(bug.arch, release="v6.12", twin="handmade", search=(folder,))
    return check(choice, load_scenario(bug.scenario), fusing=fusing)
