"""Files of at most 600 lines, functions of at most 60; what is longer says why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOW = ROOT / "tools" / "size_allow.txt"
FILE, FUNCTION = 600, 60


def sizes(file: Path) -> Iterator[tuple[str, int, int]]:
    """Name, lines and limit of a file and of each function in it."""
    name = str(file.relative_to(ROOT))
    text = file.read_text("utf-8")
    yield name, text.count("\n"), FILE
    if file.suffix == ".py":
        todo: list[tuple[ast.AST, tuple[str, ...]]] = [(ast.parse(text), ())]
        while todo:
            node, path = todo.pop()
            for n in ast.iter_child_nodes(node):
                inner = path
                if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    inner = (*path, n.name)
                if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (n.end_lineno or n.lineno) - n.lineno + 1
                    yield f"{name}:{'.'.join(inner)}", lines, FUNCTION
                todo.append((n, inner))


def every_size() -> dict[str, tuple[int, int]]:
    files = [f for d in ("src", "tests", "tools", "bench") for f in (ROOT / d).rglob("*.py")]
    return {n: (lines, limit) for f in files for n, lines, limit in sizes(f)}


def allowed() -> dict[str, tuple[int, str]]:
    """Per name the ceiling and the reason, from tools/size_allow.txt."""
    rows = [r.split(None, 2) for r in ALLOW.read_text("utf-8").splitlines() if r[:1] not in "#"]
    return {name: (int(lines), why) for name, lines, why in rows}


def test_nothing_is_longer_than_it_may_be() -> None:
    extra = allowed()
    long = [
        f"{n}: {lines} lines, at most {limit}"
        for n, (lines, limit) in every_size().items()
        if lines > max(limit, extra.get(n, (0, ""))[0])
    ]
    assert long == []


def test_every_exception_is_needed_and_says_why() -> None:
    found = every_size()
    for name, (ceiling, why) in allowed().items():
        lines, limit = found[name]
        assert lines > limit, f"{name} has {lines} lines: take it out of {ALLOW.name}"
        assert ceiling - lines <= 10 and len(why) > 20
