"""The command: exit codes, JSON that keeps its promises, bytes that do not change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from loadput.check.compare import ARCHS
from loadput.link.overlay import known_archs

Run = Callable[..., CompletedProcess[str]]
EXAMPLES = Path(__file__).parents[2] / "examples"
ONE = ("--scenario", "one")


def narrow(text: str) -> bool:
    """At most 72 columns, but for a path that cannot be broken."""
    return not [x for x in text.splitlines() if len(x) > 72 and "/" not in x]


def test_0_where_everything_holds(loadput: Run) -> None:
    done = loadput("check", *ONE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "verdict       holds" in done.stdout
    assert "not covered" in done.stdout
    assert "again         loadput check --arch svm --scenario one" in done.stdout


def test_1_where_a_property_is_violated(loadput: Run) -> None:
    done = loadput("check", *ONE, "--design", "skip-i")
    assert done.returncode == 1
    assert "verdict       VIOLATED" in done.stdout


def test_4_where_a_bound_is_hit(loadput: Run) -> None:
    for bound in (("--max-states", 100), ("--max-time", 0)):
        done = loadput("check", *ONE, *bound)
        assert done.returncode == 4, done.stdout
        assert "verdict       NOT DECIDED" in done.stdout
        assert "holds" not in done.stdout
        assert f"--scenario one {bound[0]} {bound[1]}" in " ".join(done.stdout.split())


def test_a_violation_before_the_bound_is_kept(loadput: Run) -> None:
    done = loadput("check", "--design", "skip-i", *ONE, "--stop-at-first", "--json", "-")
    assert done.returncode == 1
    (p,) = json.loads(done.stdout)["programs"]
    verdicts = [x["verdict"] for x in p["properties"]]
    assert "violated" in verdicts
    assert "holds" not in verdicts


def test_blame_decides_the_exit_code(loadput: Run) -> None:
    mail = EXAMPLES / "mail.txt"
    before = loadput("check", mail, *ONE, "--arch", "svm")
    assert before.returncode == 0
    assert "PREEMPTED-IFF-RUN, 8 steps: present before" in before.stdout
    new = loadput("check", mail, *ONE, "--arch", "svm", "--base", "v6.1")
    assert new.returncode == 1
    assert "PLE-ONCE, 13 steps: new with this change" in new.stdout
    fixed = loadput("check", *ONE, "--release", "v6.12", "--base", "v6.11-pre", "--json", "-")
    assert fixed.returncode == 0
    (p,) = json.loads(fixed.stdout)["programs"]
    blamed = {x["name"]: x["blame"] for x in p["properties"] if x["blame"]}
    assert blamed == {"PREEMPTED-IFF-RUN": "fixed by it"}


def test_input_is_judged_on_every_architecture(loadput: Run) -> None:
    done = loadput("check", EXAMPLES / "mail.txt", *ONE)
    heads = [x.split(":")[0] for x in done.stdout.splitlines() if ": [RFC]" in x]
    assert heads[-len(known_archs()) :] == known_archs()
    assert narrow(done.stdout), done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("check", *ONE, "--design", "skip-iii", "-v"),
        ("check", EXAMPLES / "mail.txt", *ONE, "--arch", "arm64,vmx"),
        ("compare", *ONE, "--arch", "riscv"),
        ("list",),
        ("explain", "LP0401"),
        ("run", *ONE, "--seed", 3),
    ],
    ids=lambda w: f"{w[0]}-{len(w)}",
)
def test_same_bytes_twice_and_72_columns(loadput: Run, words: tuple[object, ...]) -> None:
    first, second = loadput(*words), loadput(*words)
    assert first.stdout == second.stdout != ""
    assert first.stderr == ""
    assert narrow(first.stdout), first.stdout


@pytest.mark.parametrize("words", [("diff", "design:B"), ("explain", "PLE-ONCE"), ("dump",)])
def test_source_is_quoted_as_it_stands(loadput: Run, words: tuple[str, ...]) -> None:
    first, second = loadput(*words), loadput(*words)
    assert first.stdout == second.stdout != ""
    assert (first.returncode, first.stderr) == (0, "")


def test_json_of_check(loadput: Run) -> None:
    done = loadput("check", *ONE, "--design", "skip-iii", "--json", "-")
    (p,) = json.loads(done.stdout)["programs"]
    assert p["verdict"] == "violated"
    wanted = "program scenario states transitions depth properties opaque_calls inferred_fields"
    assert set(wanted.split()) <= p.keys()
    (bad,) = [x for x in p["properties"] if x["name"] == "HOST-AREA-FRESH"]
    assert bad["depth"] >= len(bad["counterexample"]) > 0
    step = bad["counterexample"][0]
    assert {"cpu", "context", "function", "source", "changes"} <= step.keys()


def test_json_of_compare(loadput: Run) -> None:
    done = loadput("compare", *ONE, "--json", "-")
    rows = json.loads(done.stdout)["rows"]
    assert len(rows) == 4 * 8
    assert {r["arch"] for r in rows} == set(ARCHS)
    for r in rows:
        assert {"design", "arch", "verdict", "states", "depth", "property"} <= r.keys()
        assert r["verdict"] == "holds"


def untimed(x: object) -> object:
    """JSON without what may differ between two runs."""
    if isinstance(x, dict):
        return {k: untimed(v) for k, v in x.items() if k not in ("seconds", "threads")}
    return [untimed(v) for v in x] if isinstance(x, list) else x


def test_what_the_release_violates_too_is_no_finding_about_a_design(loadput: Run) -> None:
    told = loadput("compare", "--arch", "riscv", "--scenario", "migration", "--design", "A,D")
    assert told.returncode == 0 and told.stdout.count("\nviolated ") == 2
    assert "as it is      the release violates on riscv: CSR-SKIP-TRUE" in told.stdout
    older = loadput("compare", "--arch", "riscv", "--scenario", "migration", "--design", "D",
                    "--release", "v7.2")  # fmt: skip
    assert older.returncode == 1, "the scenario's file speaks of the release that ships"


def test_compare_with_more_threads_is_the_same(loadput: Run) -> None:
    def rows(threads: int) -> object:
        words = (*ONE, "--arch", "riscv", "--threads", threads, "--json", "-")
        return untimed(json.loads(loadput("compare", *words).stdout)["rows"])

    assert rows(1) == rows(2) != []


def test_engines_write_the_same_json(loadput: Run) -> None:
    def program(engine: str, *more: str) -> object:
        done = loadput("check", *ONE, "--design", "skip-iii", "--engine", engine, "--json", "-")
        (p,) = json.loads(done.stdout)["programs"]
        p.pop("seconds")
        return p

    assert program("native") == program("interp")


def test_a_counterexample_is_replayed(loadput: Run, tmp_path: Path) -> None:
    loadput("check", *ONE, "--design", "skip-iii", "--json", "found.json")
    done = loadput("replay", "found.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "HOST-AREA-FRESH" in done.stdout


def test_a_reader_that_stops_early() -> None:
    command = f"{Path(sys.executable).with_name('loadput')} list | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
