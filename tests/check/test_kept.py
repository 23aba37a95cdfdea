"""Results that are kept: the same bytes as fresh ones, and never another program's."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadput.base import kept as base_kept
from loadput.base.kept import Shelf, digest, entries
from loadput.check import kept as check_kept
from loadput.check.kept import RESULTS, Kept
from loadput.check.verdict import Result, check
from loadput.link.layers import Choice
from loadput.link.scenario import load_scenario
from loadput.report.json import encode, program_result
from loadput.report.text import render_result
from loadput.run.exploration import Limits

ONE = load_scenario("one")
RISCV = Choice("riscv")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(Shelf(RESULTS, tmp_path))


def said(r: Result) -> tuple[str, str]:
    """Everything that a report says, but how long it took."""
    data: dict[str, Any] = json.loads(encode(program_result(r)))
    del data["seconds"]
    return render_result(r, command="again", verbose=True), json.dumps(data)


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [
        (RISCV, "holds"),
        (Choice("svm", "skip-iii"), "violated"),
        (Choice("s390", memory="tso"), "holds"),
    ],
)
def test_a_kept_result_is_the_fresh_one_byte_for_byte(
    kept: Kept, choice: Choice, verdict: str
) -> None:
    fresh = check(choice, ONE)
    first = check(choice, ONE, kept=kept)
    again = check(choice, ONE, kept=kept)
    assert [r.verdict for r in (fresh, first, again)] == [verdict] * 3
    assert [r.kept for r in (fresh, first, again)] == [False, False, True]
    assert said(fresh) == said(first) == said(again)
    assert [p.path for p in fresh.properties] == [p.path for p in again.properties]
    assert fresh.exploration.nodes == again.exploration.nodes


def test_blame_and_the_properties_asked_for_are_the_caller_s(kept: Kept) -> None:
    twin, names = Choice("svm", twin="no_vmsave"), ["HOST-AREA-FRESH"]
    for _ in range(2):
        base = check(Choice("svm"), ONE, kept=kept)
        found = check(twin, ONE, kept=kept, base=base, properties=names)
        assert [(p.name, p.blame) for p in found.properties] == [(*names, "new with this change")]
    assert found.kept
    whole = check(twin, ONE, kept=kept)
    assert whole.kept and len(whole.properties) > 1 and not whole.properties[0].blame


def test_what_makes_another_search_is_another_result(kept: Kept, tmp_path: Path) -> None:
    check(RISCV, ONE, kept=kept)
    for choice, scenario, more in (
        (RISCV, replace(ONE, title="another"), {}),
        (Choice("riscv", "C"), ONE, {}),
        (RISCV, ONE, {"fusing": False}),
        (RISCV, ONE, {"forgetting": False}),
        (RISCV, ONE, {"opaque": "low"}),
    ):
        assert not check(choice, scenario, kept=kept, **more).kept  # type: ignore[arg-type]
    assert not check(replace(RISCV, search=(tmp_path,)), ONE, kept=kept).kept


def test_the_interpreter_is_asked_itself(kept: Kept) -> None:
    check(Choice("mips"), ONE, kept=kept)
    assert not check(Choice("mips"), ONE, kept=kept, engine="interp").kept


def test_another_version_s_result_is_not_trusted(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(RISCV, ONE, kept=kept)
    monkeypatch.setattr(check_kept, "checker_digest", lambda: "another")
    assert not check(RISCV, ONE, kept=kept).kept


def test_a_change_elsewhere_in_the_specification_asks_for_nothing_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = check(RISCV, ONE, kept=kept)
    monkeypatch.setattr(check_kept, "spec_digest", lambda: "another")
    again = check(RISCV, ONE, kept=kept)
    assert again.kept and said(first) == said(again)


def test_a_whole_search_answers_for_every_bound_that_it_would_not_have_met(kept: Kept) -> None:
    whole = check(RISCV, ONE, kept=kept)
    assert whole.states == 2881
    assert check(RISCV, ONE, kept=kept, limits=Limits(max_states=2882)).kept
    assert check(RISCV, ONE, kept=kept, limits=Limits(stop_at_first=True)).kept
    few = Limits(max_states=500)
    cut = check(RISCV, ONE, kept=kept, limits=few)
    assert (cut.kept, cut.stopped_by) == (False, "states")
    again = check(RISCV, ONE, kept=kept, limits=few)
    assert again.kept and said(cut) == said(again)
    assert not check(RISCV, ONE, kept=kept, limits=Limits(max_states=501)).kept
    assert check(RISCV, ONE, kept=kept).states == 2881


def test_what_memory_or_time_ended_is_not_kept(kept: Kept) -> None:
    cut = check(RISCV, ONE, kept=kept, limits=Limits(max_time_s=0.0))
    assert (cut.verdict, cut.stopped_by) == ("not decided", "time")
    assert list(entries(kept.shelf.folder or Path())) == []


def test_a_damaged_file_is_worked_out_and_written_again(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = check(RISCV, ONE, kept=kept)
    for e in entries(kept.shelf.folder or Path()):
        data = e.path.read_bytes()
        e.path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    again = check(RISCV, ONE, kept=Kept(Shelf(RESULTS, (kept.shelf.folder or Path()).parent)))
    assert not again.kept and said(again) == said(fresh)
    assert "is damaged: not used" in capsys.readouterr().err
    assert check(RISCV, ONE, kept=kept).kept


@pytest.mark.parametrize("data", [b"", b"loadput kept 1\n", b"\x80\x05pickle", b"x" * 4096])
def test_a_foreign_file_is_not_used(kept: Kept, data: bytes) -> None:
    key = digest("a")
    kept.shelf.put(key, b"mine")
    (entry,) = entries(kept.shelf.folder or Path())
    entry.path.write_bytes(data)
    assert kept.shelf.get(key) is None


def test_an_answer_under_another_key_is_not_used(kept: Kept) -> None:
    a, b = digest("a"), digest("b")
    for key in (a, b):
        kept.shelf.put(key, key.encode())
    folder = kept.shelf.folder or Path()
    (folder / b[:2] / b[2:]).write_bytes((folder / a[:2] / a[2:]).read_bytes())
    assert (kept.shelf.get(a), kept.shelf.get(b)) == (a.encode(), None)


def test_a_record_of_another_shape_is_not_used(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_kept, "_encode", lambda record: b"\x91\x01")
    check(RISCV, ONE, kept=kept)
    assert not check(RISCV, ONE, kept=kept).kept
    assert "is damaged: not used" in capsys.readouterr().err


def _write(folder: Path) -> bool:
    shelf, key = Shelf("many", folder), digest("the same")
    for _ in range(200):
        shelf.put(key, b"x" * 10_000)
        if shelf.get(key) != b"x" * 10_000:
            return False
    return True


def test_processes_that_write_the_same_at_once_read_it_whole(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(_write, [tmp_path] * 4) == [True] * 4
    assert len(list(entries(tmp_path))) == 1


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    shelf = Shelf("many", tmp_path, limit_bytes=50_000)
    for i in range(20):
        shelf.put(digest(str(i)), os.urandom(4_000))
        path = max(entries(tmp_path), key=lambda e: e.path.stat().st_ctime_ns).path
        os.utime(path, (i, i))
    shelf.trim()
    assert sum(e.bytes for e in entries(tmp_path)) <= 37_500
    left = [i for i in range(20) if shelf.get(digest(str(i))) is not None]
    assert left == list(range(20 - len(left), 20)) and 7 <= len(left) <= 9


def test_nothing_is_kept_where_the_cache_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    shelf = Shelf("many")
    shelf.put(digest("a"), b"a")
    assert base_kept.cache_folder() is None and shelf.get(digest("a")) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "many").write_text("a file")
    shelf = Shelf("many", tmp_path)
    shelf.put(digest("a"), b"a")
    assert shelf.get(digest("a")) is None


NAME = """
from loadput.base.kept import Shelf
from loadput.check.kept import Kept
from loadput.link.layers import Choice
from loadput.link.scenario import load_scenario
from loadput.machine.built import Built
from loadput.run.exploration import Limits
from loadput.run.reduce import USUAL
for arch, twin in (("svm", "no_vmsave"), ("arm64", ""), ("powerpc", "")):
    b = Built(Choice(arch, twin=twin), load_scenario("one"))
    place = Kept(Shelf("x")).at(b, USUAL, Limits())
    print(place._asked, place._of_program())
"""


def test_a_name_is_the_same_in_every_process() -> None:
    out = {
        subprocess.check_output(
            [sys.executable, "-c", NAME], env={**os.environ, "PYTHONHASHSEED": seed}, text=True
        )
        for seed in ("1", "2")
    }
    assert len(out) == 1
