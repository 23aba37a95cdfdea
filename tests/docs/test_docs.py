"""The pages: every command in them prints what they show; every path and link in them is there."""

from __future__ import annotations

import difflib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_tool() -> ModuleType:
    """tools/update_docs.py, which also reads the pages for the tests."""
    import sys

    spec = importlib.util.spec_from_file_location("update_docs", ROOT / "tools/update_docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["update_docs"] = module
    spec.loader.exec_module(module)
    return module


DOCS = load_tool()
PAGES = [*DOCS.pages(), ROOT / "ARCHITECTURE.md"]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", DOCS.pages(), ids=name_of)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    # Pages show some programs twice: what is kept is what is found (tests/check/test_kept.py).
    wrong = []
    for block, rows in DOCS.iter_runs(page.read_text(encoding="utf-8"), tmp_path, fresh=False):
        for command, shown, printed in rows:
            if shown != printed:
                a, b = shown.splitlines(), printed.splitlines()
                diff = difflib.unified_diff(a, b, "the page", "printed", lineterm="", n=1)
                wrong.append("\n".join([f"{name_of(page)}:{block.line}: {command}", *diff]))
    assert not wrong, "\n\n".join(wrong) + "\n\nmake update-docs rewrites the pages"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    links = [a for a in re.findall(r"\]\(([^)#]+)", text) if "://" not in a]
    assert [a for a in links if not (page.parent / a).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_of_our_own_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    ours = re.findall(r"`((?:src|tests|docs|examples|tools|bench)/[\w./-]+)`", text)
    assert [p for p in ours if not (ROOT / p).exists()] == []


def test_the_plan_is_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 80


def test_split_commands_keeps_output_apart() -> None:
    assert DOCS.split_commands("$ a\nx\n$ b \\\n  c\ny\nz\n") == [
        ("$ a\n", "x\n"),
        ("$ b \\\n  c\n", "y\nz\n"),
    ]
