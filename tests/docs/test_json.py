"""docs/json.md names exactly the keys that there are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadput.base.kept import Shelf, digest

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> Any:
    return run_as_it_is(*words, "--scenario", "one")


def run_as_it_is(*words: str) -> Any:
    loadput = Path(sys.executable).parent / "loadput"
    done = subprocess.run(
        [loadput, *words, "--json", "-"],
        cwd=ROOT,
        capture_output=True,
        timeout=300,
        check=False,
    )
    return json.loads(done.stdout)


def read_tables() -> dict[str, tuple[set[str], set[str]]]:
    """Per section of the page: the keys that must be there, and those that may."""
    out = {}
    for part in (ROOT / "docs/json.md").read_text("utf-8").split("\n## ")[1:]:
        rows = re.findall(r"^\| (`.*?) \| ?(.*) \|$", part, re.M)
        must = {k for a, b in rows if "optional" not in b for k in re.findall(r"`(\w+)`", a)}
        may = {k for a, b in rows if "optional" in b for k in re.findall(r"`(\w+)`", a)}
        out[part.partition("\n")[0]] = (must, may)
    return out


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    tree = tmp_path_factory.mktemp("linux")
    (tree / "virt/kvm").mkdir(parents=True)
    check = run("check", "--twin", "ple_never")
    judged = run("check", "examples/mail.txt")
    compared = run("compare", "--design", "D", "--arch", "riscv")
    museum = run_as_it_is("museum", "arm-last-vcpu-tlb")
    state = run_as_it_is("list", "state", "--arch", "riscv")
    functions = run_as_it_is("list", "functions")
    constants = run_as_it_is("list", "constants", "--arch", "arm64-nv")
    swept = run_as_it_is("sweep", "examples/sweep.toml")
    Shelf("results").put(digest("a result"), b"")
    cached = run_as_it_is("cache")
    drifted = run_as_it_is("drift", "--tree", str(tree), "--arch", "riscv")
    programs = [*check["programs"], judged["programs"][0]["base"], compared["rows"][0]["program"]]
    properties = [q for p in programs for q in p["properties"]]
    return {
        "check": [check],
        "program": programs,
        "exploration": [p["exploration"] for p in programs],
        "choice": [p["program"] for p in programs],
        "scenario": [p["scenario"] for p in programs],
        "property": properties,
        "step": [s for q in properties for s in q["counterexample"] or []],
        "race": [r for p in programs for r in p["races"]],
        "check with C": [judged],
        "judged program": judged["programs"],
        "input": judged["inputs"],
        "drift": [drifted],
        "thing": drifted["things"],
        "compare": [compared],
        "row": compared["rows"],
        "museum": [museum],
        "entry": museum["entries"],
        "state": [state],
        "struct": state["structs"],
        "variable": [*state["variables"], *(f for s in state["structs"] for f in s["fields"])],
        "constant": state["constants"],
        "functions": [functions],
        "function": functions["functions"],
        "constants": [constants],
        "sweep": [swept],
        "job": swept["jobs"],
        "cache": [cached],
        "kind": cached["kinds"],
        "default": constants["constants"],
    }


def test_the_page_has_every_key_and_no_other(samples: dict[str, list[dict[str, Any]]]) -> None:
    tables = read_tables()
    assert {k for k, (must, _) in tables.items() if must} == set(samples)
    for name, values in samples.items():
        must, may = tables[name]
        assert values, name
        for value in values:
            assert must <= set(value) <= must | may, name
