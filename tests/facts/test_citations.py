"""Every ``Mirrors:`` names a file of the kernel and what is in it, where a kernel is at hand."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SPEC = Path(__file__).resolve().parents[2] / "src" / "loadput" / "spec"
PATH = re.compile(r"\b(?:virt|arch|kernel|include|drivers)/[\w./-]*\w\.[chS]\b")
NAME = re.compile(r"\b(\w+)\(\)|\bstruct (\w+)|\b(\w+_ops\.\w+)|(?<=Mirrors: )(\w+),")
VERSION = re.compile(r"\bv(\d+\.\d+)")
TREES = {
    "6.1": "LOADPUT_LINUX_6_1",
    "6.12": "LOADPUT_LINUX_6_12",
    "7.2": "LOADPUT_LINUX_7_2",
    "7.3": "LOADPUT_LINUX_7_3",
}


def docs() -> Iterator[tuple[str, str]]:
    """Every docstring of the specification with a ``Mirrors:``, and its place."""
    for file in sorted(SPEC.rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        for n in [tree, *tree.body]:
            if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef):
                place = f"{file.relative_to(SPEC)}:{getattr(n, 'name', '')}"
                if "Mirrors:" in (text := ast.get_docstring(n) or ""):
                    yield place, text


def claims(text: str) -> list[tuple[str, list[str], list[str]]]:
    """What ``Mirrors:`` says: (version, names, the files that they are in), group by group.

    A version is of the groups before it that have none; after one, a further file is where the same
    names are in the version that follows; without one it is talk.
    """
    body = re.split(r"\n\n|\bOmits:|\bContext:", text[text.index("Mirrors:") :])[0]
    body = re.sub(r'\("[^"]*"\)|\(in v[^)]*\)', "", " ".join(body.split()))
    found = [(m.start(), m.group(), "path") for m in PATH.finditer(body)]
    found += [(m.start(), next(g for g in m.groups() if g), "name") for m in NAME.finditer(body)]
    found += [(m.start(), m[1], "version") for m in VERSION.finditer(body)]
    out: list[tuple[str, list[str], list[str]]] = []
    names: list[str] = []
    open_groups: list[tuple[list[str], list[str]]] = []
    last = ""
    for _, word, kind in sorted(found):
        if kind == "version":
            out += [(word, names, paths) for names, paths in open_groups]
            open_groups = []
        elif kind == "path" and open_groups and open_groups[-1][0] is names:
            open_groups[-1][1].append(word)
        elif kind == "path":
            open_groups.append((names, [word]))
        elif last == "name":
            names.append(word)
        else:
            names = [word]
        last = kind
    told = [names for _, names, _ in out]
    left = [g for g in open_groups if not any(g[0] is names for names in told)]
    return out + [(out[-1][0] if out else "6.12", names, paths) for names, paths in left]


@cache
def text_of(root: Path, path: str) -> str:
    """The file, or what a folder of that name holds; "" where there is none."""
    return (root / path).read_text("utf-8", "replace") if (root / path).is_file() else ""


def is_there(name: str, text: str) -> bool:
    """Whether ``text`` defines the function, macro, struct, label or operation ``name``."""
    table, dot, member = name.partition(".")
    if dot:
        return table in text and re.search(rf"\.{member}\s*=", text) is not None
    forms = (
        rf"^(?![ \t*/#])[^;{{}}=]*?\b{name}\s*\([^;{{}}]*\)[^;{{}}()]*\{{",
        rf"^\s*#\s*define\s+{name}\b",
        rf"^(?:[A-Z_]*(?:SYM|ENTRY|IDTENTRY|SCHED_FEAT)\w*)\({name}\b",
        rf"^struct {name} \{{",
    )
    return any(re.search(f, text, re.M) for f in forms)


@pytest.mark.parametrize("release", TREES)
def test_what_the_specification_mirrors_is_in_the_kernel(release: str) -> None:
    root = Path(os.environ.get(TREES[release], "") or "/nonexistent")
    if not root.is_dir():
        pytest.skip(f"no Linux {release} tree: set {TREES[release]}")
    wrong = []
    for place, text in docs():
        for _, names, paths in (g for g in claims(text) if g[0] == release):
            wrong += [f"{place}: no file {p}" for p in paths if not text_of(root, p)]
            all_text = [text_of(root, p) for p in paths]
            lost = [n for n in names if not any(is_there(n, t) for t in all_text)]
            wrong += [f"{place}: no {n} in {', '.join(paths)}" for n in lost]
    assert wrong == []


def test_a_citation_is_read_name_by_name() -> None:
    text = "Mirrors: a() case X, b(), virt/kvm/a.c; struct c, include/linux/c.h, v6.1. d() is not"
    assert claims(text)[:2] == [
        ("6.1", ["a", "b"], ["virt/kvm/a.c"]),
        ("6.1", ["c"], ["include/linux/c.h"]),
    ]
    text = "Mirrors: a(), virt/kvm/a.c, v6.12; virt/kvm/b.c, v7.3; c(), virt/kvm/c.c, v7.3, as v7.2"
    assert claims(text) == [
        ("6.12", ["a"], ["virt/kvm/a.c"]),
        ("7.3", ["a"], ["virt/kvm/b.c"]),
        ("7.3", ["c"], ["virt/kvm/c.c"]),
    ]


def test_a_name_counts_only_where_it_is_defined() -> None:
    assert is_there("f", "static void\nf(int a)\n{\n}\n") and not is_there("f", "void f(void);\n")
    assert not is_there("f", "void g(void)\n{\n\tf();\n}\n") and is_there("f", "#define f(x) 1\n")
    assert is_there("x_ops.load", "struct o x_ops = {\n\t.load = y,\n};\n")
