"""The version moves with the list of changes; a commit and a merge run what `make lint` runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_newest_change_is_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    told = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert told[0] == version
    assert told == sorted(told, key=lambda v: [int(x) for x in v.split(".")], reverse=True)


def test_a_commit_and_a_merge_run_make_lint() -> None:
    assert "entry: make lint\n" in (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    steps = re.findall(r"^make (\S+)$", (ROOT / ".ci/run").read_text("utf-8"), re.M)
    assert steps[0] == "lint"


def test_what_is_added_has_its_page() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    folders = set(re.findall(r"`spec/(\w+)/`", text))
    assert folders and all((ROOT / "src/loadput/spec" / f).is_dir() for f in folders)
    for page in re.findall(r"\]\(([^)#]+)", text):
        assert (ROOT / page).is_file(), page
