"""No import goes up a floor, and none goes in circles, wherever it stands: late or for types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "loadput"
FLOORS = (
    *("base", "ir", "lang", "link", "machine", "run", "check", "reproduce", "report", "explore"),
    *("api", "sweep", "cli"),
)
MAY = {  # rooms beside the stairs, and what each may import
    "trace": {"base"},
    "conform": {"base", "ir", "link", "trace"},
    "export": {"base", "ir", "link", "machine"},
    "record": {"base"},
    "spec": set[str](),
}
# Who may import those rooms.
OVER = {
    "api": {"trace", "export"},
    "sweep": {"trace", "conform", "export"},
    "cli": {"trace", "export", "conform", "record"},
}


def room_of(file: Path) -> str:
    """The room of a source file: its folder, or its name where it lies on the ground."""
    inner = file.relative_to(SRC).parts
    ground = {"__init__.py": "api", "__main__.py": "cli"}
    return ground.get(inner[0], inner[0].removesuffix(".py"))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file, wherever it stands, as (line, dotted name below loadput)."""
    package = ("loadput", *file.relative_to(SRC).parts[:-1])
    for n in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(n, ast.Import):
            names = [a.name for a in n.names]
        elif isinstance(n, ast.ImportFrom):
            head = ".".join(package[: len(package) - n.level + 1]) if n.level else ""
            base = ".".join(x for x in (head, n.module or "") if x)
            names = [f"{base}.{a.name}" for a in n.names]
        else:
            continue
        yield from (
            (n.lineno, x.removeprefix("loadput.")) for x in names if x.startswith("loadput")
        )


def modules() -> dict[str, Path]:
    files = [f for f in SRC.rglob("*.py") if "spec" not in f.relative_to(SRC).parts[:1]]
    return {".".join(f.relative_to(SRC).with_suffix("").parts): f for f in files}


def allowed(room: str) -> set[str]:
    if room in MAY:
        return MAY[room] | {room}
    return set(FLOORS[: FLOORS.index(room) + 1]) | OVER.get(room, set())


def test_every_room_has_a_floor() -> None:
    assert {room_of(f) for f in modules().values()} <= {*FLOORS, *MAY}


@pytest.mark.parametrize("room", [*FLOORS, "trace", "export", "conform", "record"])
def test_no_import_goes_up(room: str) -> None:
    wrong = [
        f"{f.relative_to(SRC)}:{line} imports {name}"
        for f in modules().values()
        if room_of(f) == room
        for line, name in imports(f)
        if name.split(".")[0] not in allowed(room)
    ]
    assert wrong == []


def test_the_specification_imports_nothing() -> None:
    words = [
        f"{f.relative_to(SRC)}:{n.lineno}"
        for f in (SRC / "spec").rglob("*.py")
        for n in ast.walk(ast.parse(f.read_text("utf-8")))
        if isinstance(n, ast.Import | ast.ImportFrom)
    ]
    assert words == []


def graph() -> dict[str, set[str]]:
    """Module by module, what it imports; a package stands for its ``__init__``."""
    known = modules()
    out: dict[str, set[str]] = {}
    for name, file in known.items():
        found = set()
        for _, target in imports(file):
            for t in (target, target.rpartition(".")[0]):
                hit = t if t in known else f"{t}.__init__" if f"{t}.__init__" in known else ""
                if hit:
                    found.add(hit)
                    break
        out[name] = found - {name}
    return out


def reach(to: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        for n in to[todo.pop()] - seen:
            seen.add(n)
            todo.append(n)
    return seen


def test_no_import_cycle() -> None:
    to = graph()
    assert [n for n in to if n in reach(to, n)] == []
