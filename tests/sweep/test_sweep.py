"""A sweep's table: the same bytes by whoever ran the jobs, and no job lost with who ran it."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadput.base.errors import InputError
from loadput.base.kept import Shelf
from loadput.report.json import encode
from loadput.sweep import cluster, here, work
from loadput.sweep.plan import Bounds, Job, read_plan
from loadput.sweep.shown import render_page, render_sweep, sweep_json
from loadput.sweep.sweep import SHELF, Done, sweep

PLAN = """
arch = ["mips"]
design = ["", "B", "C", "skip-iii"]
"""
TABLE = """\
design    verdict     states
-         holds          824
B         holds          824
C         holds          824
skip-iii  no verdict          LP0407 design skip-iii is not written for mips

jobs          4: 3 holds, 1 no verdict
each          arch mips, release v7.3, scenario one, memory sc
"""


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    (tmp_path / "plan.toml").write_text(PLAN)
    return read_plan(str(tmp_path / "plan.toml"))


def one_by_one(jobs: dict[int, Job]) -> Iterator[tuple[int, Any]]:
    """In this process, the last first."""
    for i in reversed(jobs):
        yield i, work.run_packed(work.pack(jobs[i], carry=True, keep=False))


def said(d: Done) -> tuple[str, bytes, str]:
    return render_sweep(d), encode(sweep_json(d)), render_page(d, "plan")


def test_a_plan_is_a_table_whoever_runs_it(jobs: list[Job]) -> None:
    first = sweep(jobs, one_by_one)
    assert said(first)[0] == TABLE and first.exit_code == 2
    again = sweep(jobs, lambda todo: here.run_here(todo, 2, keep=False))
    assert said(again) == said(first)
    assert None not in again.seconds


def test_what_was_done_is_not_done_again(jobs: list[Job], tmp_path: Path) -> None:
    def ended(todo: dict[int, Job]) -> Iterator[tuple[int, Any]]:
        yield from list(one_by_one({i: todo[i] for i in list(todo)[:2]}))
        raise KeyboardInterrupt

    shelf, ran = Shelf(SHELF, tmp_path), []

    def rest(todo: dict[int, Job]) -> Iterator[tuple[int, Any]]:
        ran.extend(todo)
        return one_by_one(todo)

    first = sweep(jobs, ended, shelf=shelf)
    assert (
        first.interrupted and [r["why"] for r in first.rows[2:]] == ["not begun: interrupted"] * 2
    )
    whole = sweep(jobs, rest, shelf=shelf)
    assert (ran, whole.found) == ([2, 3], 2) and said(whole)[0] == TABLE


def test_a_job_that_ends_its_process_is_not_decided_and_takes_no_other_along(
    jobs: list[Job],
) -> None:
    bad = replace(jobs[0], verb="check", choice=Bomb())  # type: ignore[arg-type]
    done = sweep([bad, jobs[1]], lambda todo: here.run_here(todo, 2, keep=False))
    assert [r["verdict"] for r in done.rows] == ["not decided", "holds"]
    assert done.rows[0]["why"] == "its process died, 2 times"


class Bomb:
    """What kills whoever unpacks it, as the kernel kills for memory."""

    search = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return os.kill, (Here(), signal.SIGKILL)


class Here:
    """The process that unpacks it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.getpid, ()


def test_a_bound_is_not_decided(jobs: list[Job]) -> None:
    few = replace(jobs[0], bounds=Bounds(max_states=100))
    short = replace(jobs[0], bounds=Bounds(max_time=1e-6))
    done = sweep([few, short], one_by_one)
    assert [(r["verdict"], r["why"]) for r in done.rows] == [
        ("not decided", "states"),
        ("not decided", "time"),
    ]
    assert done.exit_code == 4


def test_a_job_carries_its_overlays_and_its_patch(tmp_path: Path) -> None:
    mine = tmp_path / "mine/design/same"
    mine.mkdir(parents=True)
    (mine / "overlay.py").write_text('"""Ours."""\nOVERLAY = Overlay(name="same", parent="D")\n')
    mail = Path(__file__).parents[2] / "examples/mail.txt"
    plan = tmp_path / "plan.toml"
    folder = tmp_path / "mine"
    plan.write_text(f'arch = ["mips"]\ndesign = ["same"]\noverlays = ["{folder}"]\n')
    (job,) = read_plan(str(plan))
    packed = work.pack(job, carry=True, keep=False)
    (mine / "overlay.py").unlink()
    assert work.run_packed(packed)["verdict"] == "holds"
    plan.write_text(f'arch = ["mips"]\nrelease = ["v6.11-pre"]\npatches = ["{mail}"]\n')
    (job,) = read_plan(str(plan))
    row = work.run_packed(work.pack(job, carry=True, keep=False))
    assert row["verdict"] == "changes nothing that is modelled"


def test_another_version_is_refused_before_anything_is_unpacked(jobs: list[Job]) -> None:
    version, _, keep = work.pack(jobs[0], carry=True, keep=False)
    assert work.run_packed(("another", b"not even a pickle", keep)) == {"verdict": "refused"}
    assert version == work.version()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("archs = ['mips']", "unknown: archs"),
        ("arch = 'mips'", "arch = 'mips'"),
        ("verb = 'run'", "verb = 'run'"),
        ("verb = 'trace'", "verb = 'trace'"),
        ("repo = 'x'", "repo, range and patches"),
        ("arch = []", "no jobs"),
        ("[bounds]\nmax_time = 0", "bounds = {'max_time': 0}"),
        ("arch = [", "Invalid value"),
    ],
)
def test_a_plan_that_means_nothing_is_an_error(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(InputError) as e:
        read_plan(str(tmp_path / "plan.toml"))
    assert e.value.code == "LP0545" and told in e.value.what


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="no dask: pip install 'loadput[sweep]'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as at:
        yield at


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed(
    jobs: list[Job], two_workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = two_workers.scheduler_address.removeprefix("tcp://")
    killed: list[int] = []

    def run(todo: dict[int, Job]) -> Iterator[tuple[int, Any]]:
        for i, row in cluster.run_on(address, todo, keep=False):
            if not killed:
                worker = next(iter(two_workers.workers.values()))
                killed.append(worker.process.pid)
                os.kill(killed[0], signal.SIGKILL)
            yield i, row

    many = [replace(j, name=(*j.name, ("nth", str(n)))) for n in range(2) for j in jobs]
    there = sweep(many, run)
    assert killed and said(there) == said(sweep(many, one_by_one))


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_another_version_is_an_error(
    jobs: list[Job], two_workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "version", lambda: "another")
    address = two_workers.scheduler_address.removeprefix("tcp://")
    with pytest.raises(InputError) as e:
        sweep(jobs, lambda todo: cluster.run_on(address, todo, keep=False))
    assert e.value.code == "LP0546" and "no worker has this version" in e.value.what


def test_a_cluster_that_is_not_there_is_an_error(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(InputError) as e:
        list(cluster.run_on("127.0.0.1:1", {0: jobs[0]}, keep=False))
    assert e.value.code == "LP0546" and "dask is not installed" in e.value.what


def test_recordings_are_read_where_the_job_runs(tmp_path: Path) -> None:
    traces = Path(__file__).parents[1] / "trace"
    found = sorted(traces.rglob("*.dat"))[:1]
    if not found:
        pytest.skip("no recording here")
    plan = tmp_path / "plan.toml"
    rows: dict[str, Any] = {}
    for verb in ("trace", "conform"):
        plan.write_text(f'verb = "{verb}"\nrecordings = ["{found[0]}"]\n')
        (job,) = read_plan(str(plan))
        rows[verb] = work.run_packed(work.pack(job, carry=True, keep=False))
        assert pickle.loads(work.pack(job, carry=True, keep=False)[1]).recording[:1] != "/"
    assert rows["trace"]["counts"].keys() == {"loads", "puts", "migrations"}
