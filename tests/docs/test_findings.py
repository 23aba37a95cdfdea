"""The list of findings has every page, in the state that the page's title says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "findings"


def test_every_page_is_listed_in_its_state() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| \[([\w-]+)\]\(([\w-]+)\.md\) \| [^|]+\? \|$",
        (PAGES / "README.md").read_text("utf-8"), re.M,
    )  # fmt: skip
    assert sorted(name for _, name, _ in rows) == sorted(
        p.stem for p in PAGES.glob("*.md") if p.stem != "README"
    )
    for state, name, link in rows:
        title = (PAGES / f"{link}.md").read_text("utf-8").partition("\n")[0].removeprefix("# ")
        assert name == link
        said = title.partition(":")[0].lower()
        assert state.lower() == said or (state == "no" and ":" not in title), name


def test_every_experiment_is_about_a_page_and_a_kernel_that_is_there() -> None:
    kernels = tomllib.loads((ROOT / "lab" / "kernels.toml").read_text("utf-8"))["kernel"]
    names = {k["name"] for k in kernels}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for folder in (ROOT / "lab" / "experiments").iterdir():
        plan = tomllib.loads((folder / "experiment.toml").read_text("utf-8"))
        assert (ROOT / plan["finding"]).is_file() and (folder / plan["program"]).is_file()
        assert f"\nlab-{folder.name}: venv\n" in makefile
        page = (ROOT / plan["finding"]).read_text("utf-8")
        assert f"make lab-{folder.name}" in page, "the page says how to run it"
        for on in plan["on"]:
            assert on["kernel"] in names
            assert set(on["shown"].values()) <= {"every", "none", "some"}
