"""Memory weaker than TSO: against a plain reference, and between the engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from programs import BUFFERED, make_machine
from test_tso import HEAD, ends_of

from loadput.api import Choice, check, load_scenario
from loadput.base.errors import LinkError
from loadput.check.verdict import NOTHING_FOUND

QUIET = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PLACES = ("a", "u", "v")
REGS = tuple(f"{r}{k}" for k in range(2) for r in "pqs")
Op = tuple[str, ...]
Memory = tuple[tuple[str, int], ...]


@st.composite
def threads(draw: st.DrawFn) -> list[list[Op]]:
    """Two threads of a few accesses each; ``p``, ``q`` and ``s`` are a thread's registers."""
    place, reg, number = st.sampled_from(PLACES), st.sampled_from("pqs"), st.sampled_from("123")
    ops = st.one_of(
        st.tuples(st.just("store"), place, number),
        st.tuples(st.just("store"), place, number),
        st.tuples(st.just("load"), reg, place),
        st.tuples(st.just("load"), reg, place),
        st.tuples(st.just("load"), reg, place),
        st.tuples(st.just("copy"), place, reg),
        st.tuples(st.just("maybe"), reg, place, number),
        st.tuples(st.sampled_from(["mb", "rmb", "wmb"])),
        st.tuples(st.just("release"), place, number),
        st.tuples(st.just("acquire"), reg, place),
        st.tuples(st.just("xchg"), reg, place, number),
        st.tuples(st.just("both"), number),
    )
    return [draw(st.lists(ops, min_size=2, max_size=5)) for _ in range(2)]


def as_text(k: int, ops: list[Op]) -> str:
    """A thread in kernel Python."""
    lines = [f"{r}: upto[3] = 0" for r in "pqs"]
    for op in ops:
        match op:
            case ("store", x, n):
                lines.append(f"WRITE_ONCE({x}, {n})")
            case ("load", r, x):
                lines.append(f"{r} = READ_ONCE({x})")
            case ("copy", x, r):
                lines.append(f"WRITE_ONCE({x}, {r})")
            case ("maybe", r, x, n):
                lines += [f"if {r}:", f"    {x} = {n}"]
            case ("release", x, n):
                lines.append(f"smp_store_release({x}, {n})")
            case ("acquire", r, x):
                lines.append(f"{r} = smp_load_acquire({x})")
            case ("xchg", r, x, n):
                lines.append(f"{r} = xchg({x}, {n})")
            case ("both", n):
                lines += ["with atomic:", f"    u = {n}", f"    v = {n}"]
            case (kind,):
                lines.append(f"smp_{kind}()")
    lines += [*(f"{r}{k} = {r}" for r in "pqs"), "await_until(False)"]
    return f"@task\ndef t{k}():\n    " + "\n    ".join(lines) + "\n"


def text_of(program: list[list[Op]]) -> str:
    """Both threads, with a property that keeps every variable in the state."""
    names = (*PLACES, *REGS)
    asked = " + ".join(f"{n} * {i + 2}" for i, n in enumerate(names))
    keep = f'@property_(source="ours")\n@stuck\ndef KEPT() -> bool:\n    return {asked} >= 0\n'
    more = "s0: upto[3]\ns1: upto[3]\n"
    return HEAD + more + "".join(as_text(k, ops) for k, ops in enumerate(program)) + keep


class Cpu:
    """A CPU of the abstract machine.

    ``buffer`` has (place, number, whether it waits for all before it, how many smp_wmb() came
    before it); ``old`` has, per place, what another CPU overwrote last, since this one last ordered
    its loads or saw what is there.
    """

    def __init__(self, at: int, regs: dict[str, int], buffer: tuple, old: dict, wmbs: int) -> None:  # type: ignore[type-arg]
        self.at, self.regs, self.buffer, self.old, self.wmbs = at, regs, buffer, old, wmbs

    def key(self) -> tuple[object, ...]:
        base = min((e[3] for e in self.buffer), default=self.wmbs)
        rows = tuple((x, n, rel, w - base) for x, n, rel, w in self.buffer)
        late = self.wmbs - base if self.buffer else 0
        return self.at, tuple(self.regs.items()), rows, tuple(sorted(self.old.items())), late

    def copy(self) -> Cpu:
        return Cpu(self.at, dict(self.regs), self.buffer, dict(self.old), self.wmbs)

    def may_show(self, k: int) -> bool:
        """Whether the store at ``k`` of the buffer may become visible."""
        x, _, release, wmbs = self.buffer[k]
        before = self.buffer[:k]
        if release and before:
            return False
        return all(y != x and w == wmbs for y, _, _, w in before)


def reference(program: list[list[Op]]) -> set[Memory]:
    """How a program can end, in the plainest way."""
    ends: set[Memory] = set()
    first = [Cpu(0, dict.fromkeys("pqs", 0), (), {}, 0) for _ in range(2)]
    todo = [(dict.fromkeys(PLACES, 0), first)]
    seen = set()
    while todo:
        memory, cpus = todo.pop()
        nexts = list(moves(program, memory, cpus))
        if not nexts:
            regs = [(f"{r}{k}", c.regs[r]) for k, c in enumerate(cpus) for r in "pqs"]
            ends.add(tuple(sorted([*memory.items(), *regs])))
        for m, cs in nexts:
            key = tuple(m.items()), tuple(c.key() for c in cs)
            if key not in seen:
                seen.add(key)
                todo.append((m, cs))
    return ends


def moves(program, memory, cpus) -> Iterator[object]:  # type: ignore[no-untyped-def]
    """The steps of the abstract machine."""

    def fork(k: int):  # type: ignore[no-untyped-def]
        new = [c.copy() for c in cpus]
        return dict(memory), new, new[k], new[1 - k]

    def write(m, me, other, x, n) -> None:  # type: ignore[no-untyped-def]
        if m[x] != n:
            other.old[x] = m[x]
        me.old.pop(x, None)
        m[x] = n

    for k, cpu in enumerate(cpus):
        for i, (x, n, _, _) in enumerate(cpu.buffer):
            if cpu.may_show(i):
                m, new, me, other = fork(k)
                write(m, me, other, x, n)
                me.buffer = me.buffer[:i] + me.buffer[i + 1 :]
                yield m, new
        if cpu.at == len(program[k]):
            continue
        op = program[k][cpu.at]
        if op[0] in ("mb", "xchg", "both") and cpu.buffer:
            continue
        m, new, me, other = fork(k)
        me.at += 1
        if op[0] in ("mb", "xchg", "both", "rmb"):
            me.old.clear()
        match op:
            case ("store" | "release", x, n):
                me.buffer = (*me.buffer, (x, int(n), op[0] == "release", me.wmbs))
            case ("copy", x, r):
                me.buffer = (*me.buffer, (x, me.regs[r], False, me.wmbs))
            case ("maybe", r, x, n) if me.regs[r]:
                me.buffer = (*me.buffer, (x, int(n), False, me.wmbs))
            case ("wmb",):
                me.wmbs += 1
            case ("xchg", r, x, n):
                me.regs[r] = m[x]
                write(m, me, other, x, int(n))
            case ("both", n):
                write(m, me, other, "u", int(n))
                write(m, me, other, "v", int(n))
            case ("load" | "acquire", r, x):
                own = [n for y, n, _, _ in me.buffer if y == x]
                if not own and x in me.old:
                    early, early_cpus, then, _ = fork(k)
                    then.at += 1
                    then.regs[r] = then.old[x]
                    if op[0] == "acquire":
                        then.old.clear()
                    yield early, early_cpus
                me.regs[r] = own[-1] if own else m[x]
                if not own:
                    me.old.pop(x, None)
                if op[0] == "acquire":
                    me.old.clear()
        yield m, new


@QUIET
@given(threads(), st.booleans())
def test_programs_end_as_the_abstract_machine_says(program: list[list[Op]], fusing: bool) -> None:
    m = make_machine(text_of(program), cpus=2, tasks=("t0", "t1"), fusing=fusing, memory="weak")
    assert ends_of(m, (*PLACES, *REGS)) == reference(program)


SHARP: list[list[list[Op]]] = [
    [
        [("store", "u", "1"), ("release", "v", "1")],
        [("load", "p", "v"), ("rmb",), ("load", "q", "u")],
    ],
    [
        [
            ("store", "u", "1"),
            ("store", "v", "1"),
            ("store", "a", "1"),
            ("wmb",),
            ("store", "a", "2"),
        ],
        [("load", "p", "a"), ("rmb",), ("load", "q", "u"), ("load", "s", "v")],
    ],
    [
        [("load", "s", "v"), ("store", "u", "1"), ("load", "p", "u")],
        [("store", "v", "1"), ("store", "u", "2")],
    ],
    [
        [("load", "s", "v"), ("load", "p", "u"), ("load", "q", "u")],
        [("store", "u", "2"), ("wmb",), ("store", "v", "1"), ("store", "u", "3")],
    ],
    [
        [("load", "s", "v"), ("xchg", "q", "a", "1"), ("load", "p", "u")],
        [("store", "u", "2"), ("release", "v", "1")],
    ],
    [
        [
            ("load", "s", "a"),
            ("load", "q", "u"),
            ("acquire", "p", "v"),
            ("load", "s", "a"),
            ("load", "q", "u"),
        ],
        [("store", "u", "1"), ("wmb",), ("store", "v", "1"), ("store", "a", "1")],
    ],
]
"""Each goes wrong where one rule is left out: of a release, of smp_wmb() among several stores, of a
CPU's own store, of two loads of one place, of a locked instruction, of an
acquire."""


@pytest.mark.parametrize("program", SHARP)
@pytest.mark.parametrize("fusing", [True, False])
def test_programs_that_rest_on_one_rule(program: list[list[Op]], fusing: bool) -> None:
    m = make_machine(text_of(program), cpus=2, tasks=("t0", "t1"), fusing=fusing, memory="weak")
    assert ends_of(m, (*PLACES, *REGS)) == reference(program)


def test_the_reference_knows_message_passing() -> None:
    loose = [[("store", "u", "1"), ("store", "v", "1")], [("load", "p", "v"), ("load", "q", "u")]]
    late = {("p1", 1), ("q1", 0)}
    assert any(late <= set(end) for end in reference(loose))
    writer, reader = loose
    for tight in ([writer[0], ("wmb",), writer[1]], [writer[0], ("release", "v", "1")]):
        assert any(late <= set(end) for end in reference([tight, reader]))
        ordered = [reader[0], ("rmb",), reader[1]]
        assert not any(late <= set(end) for end in reference([tight, ordered]))


def test_a_full_buffer_waits() -> None:
    """Nothing empties it, and no slot is too many: a store waits for room, and nothing is told."""
    text = BUFFERED.replace("        smp_mb()\n", "")
    m = make_machine(text, cpus=2, tasks=("one", "two"), memory="weak")
    assert m.buffers is not None and not m.buffers.watched and m.buffers.slots == 4


def test_one_cpu_needs_nothing() -> None:
    m = make_machine(BUFFERED, cpus=1, tasks=("one", "two"), memory="weak")
    assert m.buffers is not None and m.buffers.slots == 0 and not m.buffers.old


@pytest.mark.parametrize(("arch", "memory"), [("svm", "weak"), ("s390", "weak"), ("riscv", "tso")])
def test_a_memory_that_the_architecture_has_not_is_refused(arch: str, memory: str) -> None:
    with pytest.raises(LinkError) as e:
        check(Choice(arch, memory=memory), load_scenario("one"))
    assert e.value.code == "LP0409" and f"{arch} is not {memory}" in str(e.value)


def test_nothing_holds() -> None:
    r = check(Choice("mips", memory="weak"), load_scenario("one"))
    assert r.verdict == "not decided" and r.exploration.finished
    assert {p.why for p in r.properties if p.verdict == "not decided"} == {NOTHING_FOUND}
    assert not any(p.verdict == "holds" for p in r.properties)
    one = check(Choice("mips", memory="weak"), load_scenario("one"), properties=["CPU-FIELD"])
    assert one.verdict == "not decided"
