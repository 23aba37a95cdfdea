"""Finding overlays: one folder each, described by its ``overlay.py``."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..base.errors import LinkError, SourceError
from ..base.source import Span
from ..base.text import load_text
from ..ir.types import Type
from ..lang.pydecl import Declarations, nearest
from ..lang.pyfront import Module, parse_module

SPEC = Path(__file__).resolve().parent.parent / "spec"
LISTS = ("signatures", "removes", "absent")
COMMON = frozenset(("name", "source", "parent"))
_OVER = frozenset(("arch", "signatures", "removes"))
KEYWORDS = {
    "arch": frozenset(("abstract", "memory")),
    "release": _OVER | {"abstract", "design", "absent"},
    "design": _OVER | {"abstract"},
    "twin": _OVER | {"release", "breaks", "scenario", "memory"},
    "museum": _OVER | {"release", "breaks", "scenario", "memory"},
}
"""What may be said of an overlay of each kind, beside what is said of all."""
NAME = re.compile(r"[\w.+-]+")
ABSENT = re.compile(r"(\w+)=(\d+)(?: but on ([\w-]+(?: [\w-]+)*))?")
SHAPES = {
    "name": "letters, digits and . + - _",
    "signatures": 'names of functions with commas between: "f, g"',
    "removes": 'functions and struct.field with commas between: "f, s.x"',
    "absent": 'settings that no kernel of it has: "f=0, f=1 but on mips"',
    "breaks": 'properties with commas between: "SOUT_AT_LOAD"',
    "arch": 'architectures with commas between: "svm,vmx"',
}
KINDS = ("arch", "release", "design", "twin", "museum")
BROKEN = ("twin", "museum")
"""Laid over a design to break it: on purpose, or as it once was."""
PARTS = ("arch", "release")
"""Folders in an overlay's: what it has for one architecture; its form for one release."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One folder of functions that are laid over others.

    :param design: of a release: the design that its own tree has
    :param arch: of a design or release: the only architecture it is written for, or ""
    :param release: of a twin: the only release it is written for, or ""
    :param signatures: functions whose signature it may change
    :param removes: functions it takes out
    :param absent: of a release: settings that no kernel of it has
    :param breaks: of a twin: the property that it violates
    :param scenario: of a twin: the scenario that shows it, where the default one does not
    :param memory: of an arch: "tso" where stores stay in order, as on x86; of a twin: "tso" or
        "weak" where only that shows it
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
    absent: tuple[str, ...] = ()
    breaks: str = ""
    scenario: str = ""
    memory: str = ""
    doc: str = ""

    @property
    def label(self) -> str:
        """``kind:name``, as markers and reports write it."""
        return f"{self.kind}:{self.name}"

    @property
    def archs(self) -> tuple[str, ...]:
        """The architectures it is written for; none where it is for all."""
        return tuple(self.arch.split(",")) if self.arch else ()

    def absent_on(self, arch: str) -> list[tuple[str, int]]:
        """The settings that no kernel of this release has on ``arch``: name and value."""
        found = [m.groups() for a in self.absent if (m := ABSENT.fullmatch(a))]
        return [(name, int(x)) for name, x, but in found if arch not in (but or "").split()]


def _words(text: str) -> tuple[str, ...]:
    return tuple(w.strip() for w in text.split(",") if w.strip())


def _read_overlay(kind: str, file: Path) -> Overlay:
    """The overlay that an ``overlay.py`` describes; raises SourceError (LP021x) with the place."""
    shown = _shown(file)
    at = Declarations(load_text(file, shown), shown, f"{kind}:{file.parent.name}", {})
    tree = at.tree()
    found = None
    if not any("OVERLAY" in ast.unparse(n) for n in tree.body if isinstance(n, ast.Assign)):
        raise at.fail(
            "LP0211",
            f"no OVERLAY in {file.name}",
            Span(shown, 1),
            expected='OVERLAY = Overlay(name="…", …)',
            next="docs/language.md, Layers, has the keywords",
        )
    for n in tree.body:
        if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant):
            continue
        name = n.targets[0] if isinstance(n, ast.Assign) and len(n.targets) == 1 else None
        call = n.value if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call) else None
        is_overlay = isinstance(name, ast.Name) and name.id == "OVERLAY" and call is not None
        if not is_overlay or found is not None or ast.unparse(call.func) != "Overlay":  # type: ignore[union-attr]
            raise at.fail(
                "LP0211",
                f"'{ast.unparse(n).splitlines()[0][:40]}' in {file.name}",
                n,
                expected='one OVERLAY = Overlay(name="…", …), and a docstring',
                next="functions stand in files beside it",
            )
        found = call
    assert found is not None
    made = _keywords(kind, at, found)
    return Overlay(kind, folder=file.parent, doc=ast.get_docstring(tree) or "", **made)


def _keywords(kind: str, at: Declarations, call: ast.Call) -> dict[str, Any]:
    known = COMMON | KEYWORDS[kind]
    made: dict[str, Any] = {}
    if call.args:
        raise at.fail(
            "LP0218", f"'{ast.unparse(call.args[0])[:40]}' without a keyword", call.args[0],
            expected='NAME="…"', next="docs/language.md, Layers, has the keywords",
        )  # fmt: skip
    for k in call.keywords:
        if k.arg not in known or k.arg in made:
            what = "given twice" if k.arg in made else f"of a {kind}"
            raise at.fail(
                "LP0218",
                f"keyword '{ast.unparse(k)[:40]}' {what}",
                k,
                expected=f"one each of {', '.join(sorted(known))}"
                + nearest(str(k.arg), known - {str(k.arg)}),
                next="docs/language.md, Layers, says what each means",
            )
        wanted = bool if k.arg == "abstract" else str
        value = k.value.value if isinstance(k.value, ast.Constant) else None
        wrong = not isinstance(value, wanted)
        if k.arg == "absent" and not wrong:
            wrong = not all(ABSENT.fullmatch(w) for w in _words(str(value)))
        if wrong or (k.arg == "name" and not NAME.fullmatch(str(value))):
            raise at.fail(
                "LP0218",
                f"{k.arg} = {ast.unparse(k.value)[:40]}",
                k.value,
                got=type(value).__name__ if value is not None else "an expression",
                expected="True or False" if wanted is bool else SHAPES.get(k.arg, 'a text: "…"'),
                next="docs/language.md, Layers, says what each means",
            )
        made[k.arg] = _words(value) if k.arg in LISTS and isinstance(value, str) else value
    if "name" not in made:
        raise at.fail(
            "LP0218", "an overlay without a name", call, expected='name="…"',
            next="give it the name that --arch, --design, --release or --twin takes",
        )  # fmt: skip
    return made


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
            other = out.setdefault(overlay.name, overlay)
            if other is not overlay and other.folder.resolve() != overlay.folder.resolve():
                raise LinkError(
                    "LP0425",
                    f"a {kind} '{overlay.name}' is there already",
                    span=Span(_shown(file), 1),
                    got=f"name={overlay.name!r}",
                    expected=f"another name; the other one is {_shown(other.folder)}",
                    next="rename it, or lay it over the other one with parent=",
                )
    return out


def check_folders(folders: Iterable[Path]) -> None:
    """Raise LinkError LP0425 for a folder of --overlays in which nothing would be found.

    ``KIND/NAME/overlay.py`` is an overlay; a folder that looks like one and is none is an error.
    """
    for root in folders:
        found = sorted(root.glob("*/*/overlay.py"))
        wrong = next((f for f in found if f.parent.parent.name not in KINDS), None)
        here = f"KIND/NAME/overlay.py, KIND one of {', '.join(KINDS)}"
        if wrong is not None:
            kind = wrong.parent.parent.name
            raise LinkError(
                "LP0425", f"an overlay of the unknown kind '{kind}'", where=_shown(wrong),
                got=f"{kind}/{wrong.parent.name}", expected=here + nearest(kind, KINDS),
                next=f"rename the folder {kind}",
            )  # fmt: skip
        bare = (d for k in KINDS for d in sorted((root / k).glob("*/")) if any(d.glob("*.py")))
        lost = next((d for d in bare if not (d / "overlay.py").exists()), None)
        if lost is not None or not found:
            raise LinkError(
                "LP0425", f"no overlay in {_shown(lost or root)}", where=_shown(lost or root),
                got="a folder without one", expected="overlay.py in it" if lost else here,
                next="docs/language.md, Layers, shows one",
            )  # fmt: skip


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
                span=place_in(out[0], "parent"),
                expected=f"one of {', '.join(known)}, without a cycle"
                + nearest(out[0].parent, known.keys() - {out[0].name}),
            )
        out.insert(0, known[out[0].parent])
    return out


def load_modules(
    folder: Path, origin: str, aliases: dict[str, Type], *, arch: bool = False
) -> list[Module]:
    """Parse every file of ``folder``, sorted by path; ``arch/``, ``release/`` only where asked.

    Raises SourceError with the place and the line.
    """
    out = []
    for file in sorted(folder.rglob("*.py")):
        inner = file.relative_to(folder).parts
        if file.name in ("overlay.py", "__init__.py") or (inner[0] in PARTS and not arch):
            continue
        out.append(parse_module(load_text(file, _shown(file)), _shown(file), origin, aliases))
    return out


def known_archs(*more: Path) -> list[str]:
    """The architectures that programs can be linked for."""
    return sorted(n for n, v in find_overlays("arch", *more).items() if not v.abstract)


def expand_archs(text: str, *more: Path) -> list[str]:
    """``all`` or a comma-separated list, in the given order; raises LinkError for unknown ones.

    :param more: further folders with overlays
    """
    if text == "all":
        return known_archs(*more)
    return [get_overlay("arch", a.strip(), *more).name for a in text.split(",") if a.strip()]


def place_in(v: Overlay, key: str) -> Span:
    """Where the overlay.py of ``v`` says ``key``."""
    rows = _lines(v.folder / "overlay.py")
    at = next((i for i, row in enumerate(rows, 1) if re.search(rf"\b{key}\s*=", row)), 1)
    return Span(_shown(v.folder / "overlay.py"), at, 1, len(rows[at - 1].rstrip()) if rows else 1)


@cache
def _lines(path: Path) -> list[str]:
    try:
        return load_text(path).split("\n")
    except SourceError:
        return []


def source_line(span: Span) -> str | None:
    """The text of the line that ``span`` points to, where the file can be found; else None."""
    path = SPEC / span.file[5:] if span.file.startswith("spec/") else Path(span.file)
    lines = _lines(path)
    return lines[span.line - 1] if 0 < span.line <= len(lines) else None
