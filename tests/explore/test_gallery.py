"""The pages of museum entries: each opens where its bug shows, beside the fixed program."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadput.check.museum import entries

Ran = subprocess.CompletedProcess[str]


def data_of(file: Path) -> dict[str, Any]:
    found = re.search(r"^const DATA = (.*);$", file.read_text("utf-8"), re.M)
    assert found
    out: dict[str, Any] = json.loads(found[1].replace("<\\/", "</"))
    return out


@pytest.fixture(scope="module")
def name() -> str:
    return "preempted-iff-running"


def test_an_entry_is_a_page_that_holds_its_counterexample_and_what_is_around(
    loadput: Callable[..., Ran], tmp_path: Path, name: str
) -> None:
    ran = loadput("museum", name, "--html", "pages", "--threads", "1")
    assert ran.returncode == 0, ran.stderr
    assert sorted(p.name for p in (tmp_path / "pages").iterdir()) == ["index.html", f"{name}.html"]
    assert f'href="{name}.html"' in (tmp_path / "pages" / "index.html").read_text("utf-8")
    data = data_of(tmp_path / "pages" / f"{name}.html")
    entry = entries()[name]
    assert data["runs"][0]["property"] == entry.property
    assert data["meta"]["beside"]["name"] == "the fixed one"
    rows = zlib.decompress(base64.b64decode(data["views"])).decode().splitlines()
    views = [json.loads(r) for r in rows]
    assert len(views) == data["meta"]["states"] > 100
    at = views[0]
    for k, i in enumerate(data["runs"][0]["steps"]):
        move = at["moves"][i]
        if k + 1 < len(data["runs"][0]["steps"]):
            at = views[at["to"][i]]
    assert entry.property in move.get("bad", []) or entry.property in views[at["to"][i]]["bad"]


def test_a_folder_that_cannot_be_made_is_told(loadput: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = loadput("museum", "preempted-iff-running", "--html", "file/pages", "--threads", "1")
    assert (ran.returncode, "LP0520" in ran.stderr, "Traceback" in ran.stderr) == (2, True, False)
