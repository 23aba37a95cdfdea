"""``loadput check --html``: the shortest counterexample as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from loadput.cli.check import command


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [*map(str, words), "--scenario", "one"])


def drawn(path: Path) -> Any:
    text = path.read_text("utf-8")
    found = re.search(r"const DATA = (\{.*?\});?\n", text)
    assert found, "the page holds its data"
    return json.loads(found[1].replace("<\\/", "</"))


def test_the_shortest_counterexample_is_drawn_step_by_step(tmp_path: Path) -> None:
    done = run("--twin", "sout_cleared_before_load", "--html", tmp_path / "c.html")
    assert done.exit_code == 1 and f"wrote {tmp_path / 'c.html'}" in done.stderr
    data = drawn(tmp_path / "c.html")
    assert (data["kind"], data["lanes"]) == ("sequence", ["CPU 0"])
    assert data["title"] == "PLE-ONCE: violated after 12 steps"
    assert data["command"].startswith("loadput check --arch svm --twin sout_cleared_before_load")
    bad = [step for step in data["steps"] if step.get("bad")]
    assert [(s["number"], s["text"], s["note"]) for s in bad] == [
        (
            12,
            "T0 kvm_arch_vcpu_load",
            "PLE-ONCE, SOUT-AT-LOAD, v0.requests[3] 0>1, v0.host_pkru none>T0",
        )
    ]
    assert any("v0.scheduled_out 1>0" in step["note"] for step in data["steps"])


def test_what_holds_leaves_no_page_and_says_so(tmp_path: Path) -> None:
    done = run("--html", tmp_path / "c.html")
    assert done.exit_code == 0
    assert f"no counterexample: {tmp_path / 'c.html'} not written" in done.stderr
    assert not (tmp_path / "c.html").exists()


def test_a_finding_in_a_mail_is_drawn_too(tmp_path: Path) -> None:
    mail = Path(__file__).parents[2] / "examples" / "mail.txt"
    run(mail, "--arch", "svm", "--html", tmp_path / "c.html")
    assert drawn(tmp_path / "c.html")["title"] == "PREEMPTED-IFF-RUN: violated after 8 steps"
