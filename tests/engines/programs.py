"""Small programs for tests of engines: from text, or drawn at random."""

from __future__ import annotations

from hypothesis import strategies as st

from loadput.ir.decls import Signature
from loadput.lang.pyfront import parse_module
from loadput.link import program as link
from loadput.link.hooks import lower_hooks
from loadput.link.lowerer import Lowerer
from loadput.link.scenario import Scenario, TaskSpec
from loadput.machine.model import Machine, build_machine

BASE = """
class task_struct(struct, per="task"):
    on_cpu: bool = starts_on_cpu
    f: upto[2]
    back: ptr[task_struct]
    mine: token[k, task]

current_task: per_cpu[ptr[task_struct]] = idle_task
a: upto[3]
b: between[-2, 2]
flag: bool
slot: per_cpu[upto[2]]
reg: per_cpu[token[k, task]]
row: array[upto[2], 3]
half: token[k, task]

@task
def idle():
    while True:
        schedule()

def schedule():
    preempt_disable()
    __schedule()
    preempt_enable_no_resched()

def pick() -> ptr[task_struct]:
    return choose(1, NR_TASKS)

@frame("sched")
def __schedule():
    prev = current
    if irqs_off:
        local_irq_disable()
    with atomic:
        next = pick()
        assume(next != prev)
        if next > NR_TASKS - NR_CPUS:
            assume(next == NR_TASKS - NR_CPUS + smp_processor_id() + 1)
        assume(not next.on_cpu)
        next.on_cpu = True
        prev.mine = this_cpu(reg)
        this_cpu_write(reg, next.mine)
        prev.on_cpu = False
        this_cpu_write(current_task, next)
    if irqs_off:
        local_irq_enable()

@frame("sched")
def ret_from_fork():
    local_irq_enable()

@frame("sched")
@preempt
def preempt_schedule():
    assume(may_preempt)
    preempt_disable()
    __schedule()
"""


BUFFERED = """
may_preempt = 1
irqs_off = 0
@task
def one():
    while True:
        a = choose(0, 1)
        if b == 0:
            current.f = 1
        smp_mb()
@task
def two():
    while True:
        b = 1
        if a == 0:
            WARN_ON(current.f)
        b = 0
        smp_mb()
@irq
def device():
    if flag:
        flag = False
    else:
        assume(a > 0)
        flag = True
"""
"""Two tasks that each store and then read what the other stores; an interrupt reads it too."""


def make_program(text: str, scenario: Scenario) -> link.Program:
    """The program that ``text`` and ``BASE`` declare; properties are functions like any other."""
    module = parse_module(BASE + text, "test.py", "mainline", {})
    lay = link.Layers(link.Choice())
    props = {
        f"test:{d.name}": d
        for d in module.defs
        if {x.split(":")[0] for x in d.attrs} & {"property", "monitor"}
    }
    module.defs = [d for d in module.defs if f"test:{d.name}" not in props]
    lay.lay((module,), "mainline")
    link._set_constants(lay, scenario)
    lo = Lowerer(lay, lay.decls, scenario)
    for d in props.values():
        lay.decls.funcs[d.name] = Signature(d.name, d.params, d.ret)
    for name in link._entries(lay, scenario):
        lo.need(name)
    lo.run()
    hooks, properties = lower_hooks(
        lo, props, {k: module.meta.get(d.name, {}) for k, d in props.items()}
    )
    lo.run()
    return link.Program(
        link.Choice(), scenario, lay.decls, lo.done, hooks, properties, lo.opaque, [], ["mainline"]
    )


def make_machine(
    text: str,
    *,
    cpus: int = 1,
    tasks: tuple[str, ...] = ("actor",),
    fusing: bool = True,
    alike: bool = False,
    memory: str = "sc",
) -> Machine:
    """The machine of ``text`` with ``tasks`` on ``cpus`` CPUs.

    :param alike: no task has the vCPU, which the first has otherwise
    """
    every = tuple(range(cpus))
    specs = tuple(
        TaskSpec(t, 0 if i == 0 and not alike else None, every) for i, t in enumerate(tasks)
    )
    program = make_program(text, Scenario("test", cpus, specs, (0,)))
    program.choice = link.Choice(memory=memory)
    return build_machine(program, fusing=fusing)


NUMBERS = ["a", "b", "flag", "row[x]", "x", "y", "this_cpu(slot)", "current.f", "1", "2", "0"]
TOKENS = ["this_cpu(reg)", "half", "current.mine"]
PLACES = ["a", "b", "flag", "row[x]", "row[y]", "this_cpu(slot)", "current.f", "pick().f", "x", "y"]
OPS = ["+", "-", "*", "&", "|", "^", "//", "%", "<<", ">>"]


@st.composite
def _condition(draw: st.DrawFn) -> str:
    one, two = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS))
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return "choose()"
    if kind == 1:
        return f"{draw(st.sampled_from(TOKENS))} == {draw(st.sampled_from(TOKENS))}"
    if kind == 2:
        return f"not ({one} {draw(st.sampled_from(['==', '<']))} {two})"
    return f"{one} {draw(st.sampled_from(['==', '!=', '<', '<=', '>', '>=']))} {two}"


@st.composite
def _statement(draw: st.DrawFn, depth: int, atomic: bool) -> list[str]:
    pick = draw(st.integers(0, 15))
    if depth > 0 and pick < 4:
        body = draw(_body(depth - 1, atomic))
        if pick == 0:
            other = draw(_body(depth - 1, atomic))
            cond = draw(_condition())
            return [f"if {cond}:", *_in(body), "else:", *_in(other)]
        if pick == 1 and not atomic:
            return ["with atomic:", *_in(draw(_body(depth - 1, True)))]
        if pick == 2 and not atomic:
            return ["local_irq_disable()", *body, "local_irq_enable()"]
        if pick == 3 and not atomic:
            return ["preempt_disable()", *body, "preempt_enable()"]
        return [f"if {draw(_condition())}:", *_in(body)]
    if pick < 8:
        value = draw(st.sampled_from(NUMBERS))
        if draw(st.booleans()):
            value = f"({value} {draw(st.sampled_from(OPS))} {draw(st.sampled_from(NUMBERS))})"
            if draw(st.booleans()):
                value = f"{value} & 1"
        return [_write(draw(st.sampled_from(PLACES)), value)]
    if pick == 8:
        lo = draw(st.integers(-1, 1))
        return [f"{draw(st.sampled_from('xy'))} = choose({lo}, {lo + draw(st.integers(0, 2))})"]
    if pick == 9:
        return [f"assume({draw(_condition())})"]
    if pick == 10:
        return [f"fresh({draw(st.sampled_from(TOKENS))}, current)"]
    if pick == 11:
        return [_write(draw(st.sampled_from(TOKENS)), draw(st.sampled_from(TOKENS)))]
    if pick == 12:
        return [f"WARN_ON({draw(_condition())})"]
    if pick == 13:
        return [draw(st.sampled_from(["current.back = current", "current.back = NULL"]))]
    if pick == 14:
        return ["current.back.f = 1"]
    return ["x = current.f"]


def _write(place: str, value: str) -> str:
    if place.startswith("this_cpu("):
        return f"this_cpu_write({place[9:-1]}, {value})"
    return f"{place} = {value}"


def _in(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


@st.composite
def _body(draw: st.DrawFn, depth: int, atomic: bool = False) -> list[str]:
    rows = draw(st.lists(_statement(depth, atomic), min_size=1, max_size=4))
    return [line for row in rows for line in row]


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of an actor, an interrupt, and conditions on states."""
    actor = ["x: between[-4, 8] = 0", "y: between[-4, 8] = 0", "while True:", *_in(draw(_body(3)))]
    irq = ["x: between[-4, 8] = 0", "y: between[-4, 8] = 0", *draw(_body(2))]
    env = draw(st.sampled_from(["@env\n", ""]))
    preempt, irqs_off = draw(st.integers(0, 1)), draw(st.integers(0, 1))
    state = draw(st.sampled_from(["a == 3", "b < 0 and flag", "half == 1", "row[0] + row[1] > 2"]))
    stuck = draw(st.sampled_from(["a == 0", "flag", "row[a] == 1"]))
    return (
        f"may_preempt = {preempt}\nirqs_off = {irqs_off}\n@task\ndef actor():\n{_text(actor)}"
        f"@irq\n{env}def device():\n{_text(irq)}"
        f"@property_\n@always\ndef FINE() -> bool:\n    return not ({state})\n"
        f"@property_\n@stuck\ndef MOVES() -> bool:\n    return {stuck}\n"
    )


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in _in(lines))
