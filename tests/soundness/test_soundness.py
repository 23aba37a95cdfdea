"""What `make soundness` does, on a sample; and that it can fail."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from sound import edits, spin
from sound.compare import PLAIN, Answer, Bounds, Row, compare, differs
from sound.draw import draw
from sound.program import Case
from sound.report import tables
from sound.run import Done, Job, Kept, run, shipped
from sound.shrink import decide, load_folder, shrink

from loadput.machine.visible import Visibility

SEED = 1
SMALL = Bounds(most=60_000, single=20_000, interp=2_500)
FOUND = Path(__file__).parent / "found"


@cache
def drawn(number: int) -> tuple[Case, Row]:
    case = draw(SEED, number)
    return case, decide(case, SMALL)


@pytest.mark.parametrize("number", range(12))
def test_a_drawn_program_has_one_verdict(number: int) -> None:
    _, row = drawn(number)
    assert not row.disagree


def test_the_sample_decides_something() -> None:
    rows = [drawn(n)[1] for n in range(12)]
    assert sum(r.compared("default") for r in rows) >= 5
    assert any(r.answers[PLAIN].violated for r in rows if PLAIN in r.answers)


def test_the_same_number_draws_the_same_program() -> None:
    assert draw(SEED, 3) == draw(SEED, 3) != draw(SEED, 4)


@pytest.mark.parametrize("folder", sorted(p.name for p in FOUND.iterdir()))
def test_what_was_found_once_is_right_now(folder: str) -> None:
    f = load_folder(FOUND / folder)
    row = compare(f.choice, f.scenario, SMALL)
    assert not row.disagree
    assert set(f.violated) <= set(row.answers["default"].violated)
    assert not set(f.holds) & set(row.answers["default"].violated)


@pytest.mark.skipif(not spin.is_here(), reason="no spin or cc: apt-get install spin gcc")
def test_spin_says_the_same() -> None:
    f = load_folder(next(FOUND.glob("*rq_lock_kept*")))
    row = compare(f.choice, f.scenario, Bounds(spin=1_000), {"spin"})
    assert not row.disagree and row.compared("spin")


@pytest.mark.skipif(not spin.is_here(), reason="no spin or cc: apt-get install spin gcc")
def test_spin_is_not_asked_of_a_step_that_no_model_has() -> None:
    """A loop in an atomic section that only what was read ends."""
    f = load_folder(next(FOUND.glob("spin-*")))
    row = compare(f.choice, f.scenario, Bounds(spin=8_000), {"spin"})
    assert not row.disagree and not row.compared("spin")


@pytest.mark.parametrize(
    "name", ["one riscv", "arm64-vmid-unallocated arm64", "ppc-lost-kick powerpc"]
)
def test_a_shipped_program_has_one_verdict(name: str) -> None:
    job = next(j for j in shipped() if j.name == name)
    assert job.case is not None
    row = decide(job.case, Bounds(most=1_000_000, single=0, interp=0))
    assert not row.disagree and row.compared("default")


# It can fail.


def test_fusing_too_much_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Visibility, "_shared", lambda *_: False)
    # The put that runs in the task's own name while it is preempted must count as another's.
    edit = edits.Edit("move", "disable_cpu_timer_accounting", 2, to=1)
    more = edits.Edit("plant", "kvm_sched_in", 1, text="x = 1\ny = 2")
    one = {"cpus": 1, "vms": [0], "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]}]}
    case = Case("s390", one, (edit, more))
    row = decide(case, SMALL)
    assert "violated unfused, holds" in row.disagree["fusing"]
    small, again = shrink(case, row, SMALL, lambda _: None)
    assert again.disagree and len(small.edits) + bool(small.below) <= 1


def test_what_is_not_whole_is_no_agreement() -> None:
    row = Row(answers={PLAIN: Answer(["A"], False), "default": Answer(["A"], True)})
    assert not row.compared("default")
    assert differs(Answer(["A"], False), Answer([], True)) == "A: violated unfused, holds"
    assert differs(Answer([], False), Answer(["A"], True)) == ""


def test_what_is_kept_is_not_decided_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sound.run.KEPT", tmp_path)
    job = next(j for j in shipped() if j.name == "one mips")
    told: list[Done] = []
    bounds = Bounds(most=30_000, single=0, interp=0)
    for _ in range(2):
        done = run([job], bounds, Kept("x"), 1, lambda n, of, d: told.append(d))
    assert len(told) == 1 and done[0].row.compared("default")
    assert "| default | as `loadput check` decides | 1 | 0 |" in tables(done, "x")
    other = Job(job.name, case=job.case)
    assert run([other], Bounds(most=1), Kept("x"), 1, lambda n, of, d: told.append(d))
    assert len(told) == 2


# The edits.

FUNCTION = '''
def f(v):
    """Doc."""
    preempt_disable()
    a = v.x
    if a:
        g(v.y)
        preempt_enable()
        return
    with atomic:
        v.x = 1
        v.y = 2
    preempt_enable()
'''


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (edits.Edit("drop", "f", 1), ["preempt_disable()", "if a:"]),
        (edits.Edit("double", "f", 1), ["a = v.x", "a = v.x"]),
        (edits.Edit("swap", "f", 0), ["a = v.x", "preempt_disable()"]),
        (edits.Edit("move", "f", 3, 0), ["g(v.y)", "preempt_disable()"]),
        (edits.Edit("atomic", "f", 6, text="later"), ["v.x = 1", "with atomic:", "v.y = 2"]),
        (edits.Edit("atomic", "f", 6, text="gone"), ["return", "v.x = 1", "v.y = 2"]),
        (edits.Edit("unprotect", "f", 0), ["def f(v):", "a = v.x"]),
        (edits.Edit("narrow", "f", 0, 1), ["a = v.x", "preempt_disable()", "if a:"]),
        (edits.Edit("protect", "f", 3, 3, "irq"), ["local_irq_disable()", "g(v.y)"]),
        (edits.Edit("negate", "f", 2), ["if not a:"]),
        (edits.Edit("early", "f", 6, text="return"), ["return", "return", "with atomic:"]),
        (edits.Edit("keep", "f", 0, 3, "v.y"), ["kept_0 = v.y", "preempt_disable()"]),
        (edits.Edit("probe", "f", 1, 6, "v.y"), ["seen_0 = v.y", "a = v.x"]),
    ],
)
def test_an_edit_changes_what_it_says(edit: edits.Edit, lines: list[str]) -> None:
    fn = ast.parse(FUNCTION).body[0]
    assert isinstance(fn, ast.FunctionDef)
    fn = edits.number(fn)
    edits.edit(fn, edit, 0)
    text = [line.strip() for line in ast.unparse(ast.fix_missing_locations(fn)).splitlines()]
    assert any(text[i : i + len(lines)] == lines for i in range(len(text)))


def test_what_went_unprotected_is_so_on_every_way_out() -> None:
    fn = edits.number(ast.parse(FUNCTION).body[0])  # type: ignore[arg-type]
    edits.edit(fn, edits.Edit("unprotect", "f", 0), 0)
    assert "preempt" not in ast.unparse(fn)
