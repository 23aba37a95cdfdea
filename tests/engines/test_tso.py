"""Store buffers: against a plain reference, between the engines, in SPIN, and in litmus tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from programs import BUFFERED, make_machine, programs

from loadput.base.errors import LayoutError, LoadputError
from loadput.machine.model import Machine
from loadput.run.contract import differences, run_engine_contract
from loadput.run.exploration import Limits
from loadput.run.explore import explore
from loadput.run.interp import Interpreter, State

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
import litmus

QUIET = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PLACES = ("a", "u", "v")
NAMES = (*PLACES, "p0", "q0", "p1", "q1")
HEAD = """
may_preempt = 0
irqs_off = 0
u: upto[3]
v: upto[3]
p0: upto[3]
q0: upto[3]
p1: upto[3]
q1: upto[3]
"""
Op = tuple[str, ...]
Memory = tuple[tuple[str, int], ...]


@st.composite
def threads(draw: st.DrawFn) -> list[list[Op]]:
    """Two threads of a few accesses each; ``p`` and ``q`` are a thread's registers."""
    place, reg = st.sampled_from(PLACES), st.sampled_from("pq")
    number = st.sampled_from("123")
    ops = st.one_of(
        st.tuples(st.just("store"), place, number),
        st.tuples(st.just("store"), place, number),
        st.tuples(st.just("load"), reg, place),
        st.tuples(st.just("load"), reg, place),
        st.tuples(st.just("copy"), place, reg),
        st.tuples(st.just("maybe"), reg, place, number),
        st.tuples(st.just("mb")),
        st.tuples(st.just("xchg"), reg, place, number),
        st.tuples(st.just("both"), number),
    )
    return [draw(st.lists(ops, min_size=2, max_size=5)) for _ in range(2)]


def as_text(k: int, ops: list[Op]) -> str:
    """A thread in kernel Python."""
    lines = ["p: upto[3] = 0", "q: upto[3] = 0"]
    for op in ops:
        match op:
            case ("store", x, n):
                lines.append(f"{x} = {n}")
            case ("load", r, x):
                lines.append(f"{r} = READ_ONCE({x})")
            case ("copy", x, r):
                lines.append(f"WRITE_ONCE({x}, {r})")
            case ("maybe", r, x, n):
                lines += [f"if {r}:", f"    {x} = {n}"]
            case ("mb",):
                lines.append("smp_mb()")
            case ("xchg", r, x, n):
                lines.append(f"{r} = xchg({x}, {n})")
            case ("both", n):
                lines += ["with atomic:", f"    u = {n}", f"    v = {n}"]
    lines += [f"p{k} = p", f"q{k} = q", "await_until(False)"]
    return f"@task\ndef t{k}():\n    " + "\n    ".join(lines) + "\n"


def reference(program: list[list[Op]]) -> set[Memory]:
    """How a program can end, by the book: x86-TSO's abstract machine, in the plainest way."""
    ends: set[Memory] = set()
    start = (tuple((x, 0) for x in PLACES), ((0, 0, 0, ()),) * 2)
    seen, todo = {start}, [start]
    while todo:
        memory, cpus = todo.pop()
        nexts = list(moves(program, dict(memory), cpus))
        if not nexts:
            regs = [(f"{r}{k}", cpus[k][i]) for k in range(2) for i, r in ((1, "p"), (2, "q"))]
            ends.add(tuple(sorted([*memory, *regs])))
        for s in nexts:
            if s not in seen:
                seen.add(s)
                todo.append(s)
    return ends


def moves(program, memory, cpus) -> Iterator[object]:  # type: ignore[no-untyped-def]
    """The steps of the abstract machine: (memory, per CPU: place in its program, p, q, buffer)."""
    for k, (at, p, q, buffer) in enumerate(cpus):

        def go(to, new=memory, here=k):  # type: ignore[no-untyped-def]
            rows = tuple(to if i == here else c for i, c in enumerate(cpus))
            return tuple(sorted(new.items())), rows

        if buffer:
            x, n = buffer[0]
            yield go((at, p, q, buffer[1:]), {**memory, x: n})
        if at == len(program[k]):
            continue
        op, regs = program[k][at], {"p": p, "q": q}
        if op[0] in ("mb", "xchg", "both") and buffer:
            continue
        new = dict(memory)
        if op[0] == "store":
            buffer = (*buffer, (op[1], int(op[2])))
        elif op[0] == "copy":
            buffer = (*buffer, (op[1], regs[op[2]]))
        elif op[0] == "maybe" and regs[op[1]]:
            buffer = (*buffer, (op[2], int(op[3])))
        elif op[0] == "load":
            own = [n for x, n in buffer if x == op[2]]
            regs[op[1]] = own[-1] if own else memory[op[2]]
        elif op[0] == "xchg":
            regs[op[1]], new[op[2]] = memory[op[2]], int(op[3])
        elif op[0] == "both":
            new["u"] = new["v"] = int(op[1])
        yield go((at + 1, regs["p"], regs["q"], buffer), new)


def ends_of(m: Machine, names: Sequence[str] = NAMES) -> set[Memory]:
    """How the machine's runs can end: its variables where nothing moves."""
    it = Interpreter(m)
    out: set[Memory] = set()
    seen: set[State] = {m.initial}
    todo = [m.initial]
    while todo:
        s = todo.pop()
        nexts = [x.state for x in it.steps(s) if x.state is not None]
        if not nexts:
            value = {n: s[m.var_at[n]] if n in m.var_at else m.constants[n][0] for n in names}
            out.add(tuple(sorted(value.items())))
        new = [x for x in nexts if x not in seen]
        seen.update(new)
        todo += new
    return out


def text_of(program: list[list[Op]]) -> str:
    """Both threads, with a property that keeps every variable in the state."""
    names = (*PLACES, "p0", "q0", "p1", "q1")
    asked = " + ".join(f"{n} * {i + 2}" for i, n in enumerate(names))
    keep = f'@property_(source="ours")\n@stuck\ndef KEPT() -> bool:\n    return {asked} >= 0\n'
    return HEAD + "".join(as_text(k, ops) for k, ops in enumerate(program)) + keep


@QUIET
@given(threads(), st.booleans())
def test_programs_end_as_the_abstract_machine_says(program: list[list[Op]], fusing: bool) -> None:
    m = make_machine(text_of(program), cpus=2, tasks=("t0", "t1"), fusing=fusing, memory="tso")
    assert ends_of(m) == reference(program)


def test_the_reference_knows_store_buffering() -> None:
    sb = [[("store", "u", "1"), ("load", "p", "v")], [("store", "v", "1"), ("load", "p", "u")]]
    zero = {("p0", 0), ("p1", 0)}
    assert any(zero <= set(end) for end in reference(sb))
    fenced = [[ops[0], ("mb",), ops[1]] for ops in sb]
    assert not any(zero <= set(end) for end in reference(fenced))


@QUIET
@given(programs(), st.booleans(), st.integers(1, 2), st.sampled_from(["tso", "weak"]))
def test_engines_agree_on_programs_with_buffers(
    text: str, fusing: bool, threads: int, memory: str
) -> None:
    try:
        tasks = ("actor", "actor")
        m = make_machine(text, cpus=2, tasks=tasks, fusing=fusing, memory=memory)
    except LoadputError:
        return
    limits = Limits(max_states=1000, threads=threads)
    try:
        assert run_engine_contract("native", [("random", m, limits)]) == []
    except LayoutError as e:
        assert e.code == "LP0606"


@pytest.mark.parametrize("memory", ["tso", "weak"])
def test_fusing_keeps_the_ends_of_a_program_with_buffers(memory: str) -> None:
    found = [
        explore(
            make_machine(BUFFERED, cpus=2, tasks=("one", "two"), fusing=fusing, memory=memory),
            limits=Limits(threads=1),
        )
        for fusing in (True, False)
    ]
    assert all(x.finished for x in found) and found[0].states <= found[1].states
    assert set(found[0].first) == set(found[1].first)


def test_a_buffer_that_some_run_fills_is_told() -> None:
    """Nothing empties it: no number of slots is enough, and a search must not say that it was."""
    text = BUFFERED.replace("        smp_mb()\n", "")
    m = make_machine(text, cpus=2, tasks=("one", "two"), memory="tso")
    assert m.buffers is not None and m.buffers.watched
    x = explore(m, limits=Limits(threads=1, max_states=60_000))
    assert "STORE-BUFFER-FULL" in x.first
    want = explore(m, engine="interp", limits=Limits(threads=1, max_states=2_000))
    got = explore(m, limits=Limits(threads=1, max_states=2_000))
    assert differences(got, want) == []


def test_without_barriers_one_cpu_needs_no_buffer() -> None:
    m = make_machine(BUFFERED, cpus=1, tasks=("one", "two"), memory="tso")
    assert m.buffers is not None and m.buffers.slots == 0


@pytest.fixture(scope="module")
def designs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("litmus")
    return folder, {n: litmus.write(folder, n, t, e) for n, t, e, _ in litmus.TESTS}


@pytest.mark.parametrize("row", litmus.TESTS, ids=[row[0] for row in litmus.TESTS])
def test_litmus(row: tuple[str, list[str], str, str], designs: tuple[Path, dict[str, str]]) -> None:
    folder, names = designs
    cpus, (sc, tso, weak, lkmm) = len(row[1]), litmus.expected(row)
    assert litmus.allows(folder, names[row[0]], cpus, "tso") == tso
    assert litmus.allows(folder, names[row[0]], cpus, "weak") == weak
    assert lkmm or not weak
    if cpus == 2:
        assert litmus.allows(folder, names[row[0]], cpus, "sc") == sc


def test_what_a_stronger_memory_shows_a_weaker_one_allows() -> None:
    for row in litmus.TESTS:
        sc, tso, _, lkmm = litmus.expected(row)
        assert sc <= tso <= lkmm, row[0]
