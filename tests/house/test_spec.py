"""What stands beside the specification's code: where it is from, its overlay, its twin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from loadput.api import all_properties
from loadput.link.builtin import BUILTIN
from loadput.link.overlay import BROKEN, KINDS, Overlay, chain, find_overlays

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "src" / "loadput" / "spec"
MARK = re.compile(r"# \[(New|Modified) in ([\w.:-]+)\]")
COMMIT = re.compile(r"Linux commits? ")
ONE = re.compile(r'[0-9a-f]{12} \((?:"[^"]{9,}"|in v\d+\.\d+)\)')
OVERLAYS = [(k, n) for k in KINDS for n in find_overlays(k)]


@cache
def functions(folder: Path) -> dict[str, tuple[Path, ast.FunctionDef, str]]:
    """The kernel functions below ``folder``: file, syntax tree, the line above it."""
    out = {}
    for file in sorted(folder.rglob("*.py")):
        lines = file.read_text("utf-8").split("\n")
        for n in ast.parse("\n".join(lines)).body:
            if isinstance(n, ast.FunctionDef):
                top = min([n.lineno, *(d.lineno for d in n.decorator_list)])
                out[f"{file.relative_to(SPEC)}:{n.name}"] = (file, n, lines[top - 2])
    return out


def decorators(n: ast.FunctionDef) -> dict[str, ast.expr]:
    called = [(d.func if isinstance(d, ast.Call) else d, d) for d in n.decorator_list]
    return {f.id: d for f, d in called if isinstance(f, ast.Name)}


def properties() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name, docstring and keywords of each property as it is written."""
    for place, (_, n, _) in functions(SPEC / "properties").items():
        d = decorators(n).get("property_")
        if isinstance(d, ast.Call):
            words = {str(k.arg): ast.literal_eval(k.value) for k in d.keywords}
            yield place, ast.get_docstring(n) or "", words


def test_every_kernel_function_says_where_it_is_from() -> None:
    silent = [
        place
        for place, (_, n, _) in functions(SPEC).items()
        if place.split("/")[0] not in ("properties", *BROKEN)
        and not re.search(r"\b(Mirrors|Ours):", ast.get_docstring(n) or "")
    ]
    assert silent == []


def test_every_broken_body_and_every_property_is_described() -> None:
    rooms = (*BROKEN, "properties")
    found = {p: n for r in rooms for p, (_, n, _) in functions(SPEC / r).items()}
    silent = [
        p for p, n in found.items() if not ast.get_docstring(n) and "monitor" not in decorators(n)
    ]
    assert silent == []


def cited() -> Iterator[tuple[str, str]]:
    """What follows each "Linux commit", on one line."""
    texts = [*SPEC.rglob("*.py"), *SPEC.rglob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for file in sorted(texts):
        plain = re.sub(r"""["']\n\s*["']|\n\s*#?\s*""", " ", file.read_text("utf-8"))
        plain = re.sub(r"\s+", " ", plain.replace("\\'", "'"))
        for m in COMMIT.finditer(plain):
            yield str(file.relative_to(ROOT)), plain[m.end() : m.end() + 150]


def test_a_commit_is_cited_with_twelve_digits_and_a_subject_or_a_release() -> None:
    assert [(f, t[:60]) for f, t in cited() if not ONE.match(t)] == []
    assert len(list(cited())) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_every_overlay_folder_is_an_overlay_with_a_source(kind: str) -> None:
    folders = {f for f in (SPEC / kind).iterdir() if f.is_dir() and f.name != "__pycache__"}
    found = find_overlays(kind)
    assert folders == {v.folder for v in found.values()}
    for v in found.values():
        told = (
            v.source
            or (v.folder / "entry.toml").is_file()
            or re.search(r"Ours:|Broken on purpose:|Linux commit", v.doc)
        )
        assert told, f"{v.label} has no source"


def below(v: Overlay, file: Path) -> set[str]:
    """The names of functions in the layers that a file of overlay ``v`` may be laid over."""
    folders = [SPEC / "mainline", *(p.folder for p in chain(v)[:-1])]
    inner = file.relative_to(v.folder).parts
    forms = [
        r for r in find_overlays("release").values() if inner[:2] == ("release", r.folder.name)
    ]
    inner = inner[2:] if forms else inner
    archs = [inner[1]] if inner[0] == "arch" else v.arch.split(",") if v.arch else []
    if v.kind in BROKEN and not archs:
        archs = list(find_overlays("arch"))
    folders += [p.folder for a in archs for p in chain(find_overlays("arch")[a])]
    under = {"twin": v.parent, "museum": v.parent, "release": v.design}.get(v.kind, "")
    folders += [p.folder for p in chain(find_overlays("design")[under])] if under else []
    folders += [find_overlays("release")[v.release].folder] if v.release else []
    for r in (o for form in forms for o in chain(form)):
        folders += [r.folder, *(r.folder / "arch" / a for a in archs)]
    own = [n for g, n, _ in functions(v.folder).values() if "arch" not in g.parts[-3:]]
    names = {n.name for n in own} if inner[0] == "arch" or forms else set()
    return names | {n.name for f in folders for _, n, _ in functions(f).values()}


@pytest.mark.parametrize(("kind", "name"), OVERLAYS)
def test_markers_name_the_overlay_and_say_what_is_new(kind: str, name: str) -> None:
    v = find_overlays(kind)[name]
    wrong = []
    for place, (file, n, above) in functions(v.folder).items():
        m = MARK.fullmatch(above.strip())
        known = n.name in below(v, file)
        if not m or m[2] != v.label or (m[1] == "Modified") != known:
            wrong.append(f"{place}: {above!r}, {'known' if known else 'unknown'} below")
    assert wrong == []


def test_every_property_has_a_sentence_a_source_and_a_twin_that_breaks_it() -> None:
    twins = find_overlays("twin") | find_overlays("museum")
    for place, sentence, words in properties():
        assert sentence.endswith(".") and len(sentence) > 30, place
        assert len(words["source"]) > 10, place
        assert words["twin"] in twins, f"{place}: no twin {words['twin']}"
    assert len(list(properties())) > 30


def test_every_twin_names_the_property_whose_twin_it_is() -> None:
    wanted: dict[str, set[str]] = {}
    for place, _, words in properties():
        wanted.setdefault(words["twin"], set()).add(place.partition(":")[2])
    for name, v in find_overlays("twin").items():
        breaks = {p.strip() for p in v.breaks.split(",")}
        assert breaks and wanted.get(name, breaks) <= breaks, f"{name}: {wanted.get(name)}"
        known = {p.partition(":")[2] for p, _, _ in properties()}
        assert breaks <= known | {name.replace("-", "_") for name, *_ in BUILTIN}


def test_every_property_applies_to_a_shipped_program() -> None:
    assert {n: p.applies for n, p in all_properties().items() if p.applies} == {}


def test_nothing_names_a_place_of_one_machine_or_a_registry() -> None:
    words = [f"/{w}/" for w in ("work", "opt", "tmp")]
    words += [
        f"{h}.org" for h in ("py" + "pi", "python" + "hosted", "deb.deb" + "ian", "npm" + "js")
    ]
    words += ["crates" + ".io", "proxy.go" + "lang"]
    at = [ROOT / d for d in ("src", "tests", "tools", "bench", "docs", "lab", ".ci")]
    files = [f for d in at for f in d.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    files += [f for f in ROOT.iterdir() if f.is_file() and f.name != ".git"]
    for f in files:
        data = f.read_bytes()
        found = [w for w in words if b"\0" not in data[:4096] and w.encode() in data]
        assert found == [], f"{f.relative_to(ROOT)} mentions {found}"
