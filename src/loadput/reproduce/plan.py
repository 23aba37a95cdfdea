"""A counterexample as segments: who goes from where to where, and by what means it is made to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..check.story import StoryStep
from ..link.program import Program
from ..machine.model import Machine
from ..run.interp import Action, Interpreter
from .acts import ACTORS, CAUSES, CHOOSERS, ENTRIES, USER_WORK, act_of

FOLLOWS, USER, MODULE, INSTEAD, HOPED = (
    "follows",
    "forced by user space",
    "forced by the module",
    "replaced",
    "hoped for",
)


ALONE = 8


@dataclass(slots=True)
class Segment:
    """Steps that one context makes on one CPU, with no other's between.

    :param thread: the scenario's task, -1 for an interrupt
    :param first: the number of its first step, from 1; ``last`` its last
    :param begin: how it is made to go, of `Segment.begin` in files/reproduce.c; ``end`` alike
    :param act: the system call that is under way
    :param hold: the module's point where it ends, or -1
    :param vcpu: the vCPU that an interrupt is for; of KVM_RUN, 0 where the guest halts; else -1
    """

    thread: int
    cpu: int
    first: int
    last: int
    act: str = "NOTHING"
    begin: str = "GOES_ON"
    end: str = "DONE"
    hold: int = -1
    vcpu: int = -1
    means: str = USER
    why: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A place where the module holds a thread: the first of ``places`` that takes a probe.

    :param places: (function, whether at its return)
    :param preempts: the thread goes on as soon as it is to be scheduled
    """

    thread: int
    places: tuple[tuple[str, bool], ...]
    preempts: bool
    step: int


@dataclass(slots=True)
class Plan:
    """What a counterexample comes to: its segments, and the places where threads are held.

    :param waits: by (step, thread) how many steps the thread can make after that one until it
        waits for another
    """

    program: Program
    steps: Sequence[StoryStep]
    segments: list[Segment]
    waits: dict[tuple[int, int], int] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)

    def segment_of(self, number: int) -> Segment | None:
        """The segment of step ``number``, from 1; None for an idle task's."""
        return next((s for s in self.segments if s.first <= number <= s.last), None)

    def means_of(self, number: int) -> tuple[str, str]:
        """How step ``number`` is brought about, and what there is to say of it."""
        s = self.segment_of(number)
        if s is None:
            idle = self.steps[number - 1].context.startswith("idle")
            return FOLLOWS, "an idle task gives its CPU away" if idle else "before its system call"
        if number > s.first and s.means != INSTEAD:
            chosen = self.steps[number - 1].choices
            return (HOPED, "; ".join(chosen)) if chosen else (FOLLOWS, "")
        return s.means, s.why


def thread_of(step: StoryStep) -> int | None:
    """The task's number; -1 for an interrupt; None for an idle task or a store buffer."""
    if step.context.startswith("T"):
        return int(step.context[1:])
    return -1 if step.context == "irq" else None


def make_plan(machine: Machine, path: Sequence[Action], steps: Sequence[StoryStep]) -> Plan:
    """Cut ``steps``, the story of ``path``, into segments, and say how each begins and ends."""
    segments = begin_in_kernel(list(cut(steps)), steps)
    plan = Plan(machine.program, steps, segments, find_waits(machine, path))
    for k, s in enumerate(segments):
        later = segments[k + 1 :]
        mine = next((x for x in later if x.thread == s.thread), None) if s.thread >= 0 else None
        if s.thread < 0:
            cause(plan, s)
        elif mine is None:
            s.end = "OVER" if not later else _last(plan, s)
        elif mine.begin != "BEGINS":
            stop(plan, s, mine, later[: later.index(mine)])
    return plan


def find_waits(m: Machine, path: Sequence[Action]) -> dict[tuple[int, int], int]:
    """By (step, thread): the steps that the thread can make alone after that one, where it then
    waits for another within `ALONE` steps.
    """
    interp, state = Interpreter(m), m.initial
    out: dict[tuple[int, int], int] = {}
    threads = range(len(m.program.scenario.tasks))
    for number, action in enumerate(path, 1):
        after = next(x for x in interp.steps(state) if x.action == action).state
        if after is None:
            break
        state = after
        for t in threads:
            alone = state
            for made in range(ALONE):
                mine = [
                    x for x in interp.steps(alone) if x.action.kind != "irq" and x.action.task == t
                ]
                if not mine:
                    out[number, t] = made
                    break
                if mine[0].state is None:
                    break
                alone = mine[0].state
    return out


def cut(steps: Sequence[StoryStep]) -> Iterator[Segment]:
    """The segments, each with its act; a new act of one thread begins a new segment."""
    doing: dict[int, str] = {}
    current: Segment | None = None
    for number, step in enumerate(steps, 1):
        thread = thread_of(step)
        if thread is None:
            continue
        begins = thread >= 0 and _begins(steps, number, doing.get(thread))
        if begins:
            doing[thread] = act_of(steps, number, step.context)
        same = current is not None and (current.thread, current.cpu) == (thread, step.cpu)
        if current is None or not same or begins:
            if current is not None:
                yield current
            current = Segment(thread, step.cpu, number, number, doing.get(thread, "NOTHING"))
            current.begin = "BEGINS" if begins else "GOES_ON"
        current.last = number
        if thread >= 0 and is_user(step):
            doing.pop(thread, None)
    if current is not None:
        yield current


def begin_in_kernel(segments: list[Segment], steps: Sequence[StoryStep]) -> list[Segment]:
    """Without segments that are in user mode all the time: the act begins with the next one."""
    out: list[Segment] = []
    pending: set[int] = set()
    for s in segments:
        inside = [x for x in steps[s.first - 1 : s.last] if len(x.functions) > 1]
        at_work = any(x.functions[0] in ACTORS for x in inside) or s.act == "WRITE_REGISTERS"
        if s.thread >= 0 and s.begin == "BEGINS" and not at_work:
            pending.add(s.thread)
            continue
        if s.thread in pending:
            s.begin = "BEGINS"
            pending.discard(s.thread)
        out.append(s)
    return out


def is_user(step: StoryStep) -> bool:
    """Whether the thread is on its way back to user mode, or there."""
    return step.functions[1:2] == ("exit_to_user_mode",) or step.functions[-1] in USER_WORK


def _begins(steps: Sequence[StoryStep], number: int, doing: str | None) -> bool:
    """Whether the thread of step ``number`` begins a system call there, from user mode."""
    step = steps[number - 1]
    if step.functions[-1] in USER_WORK:
        return True
    if step.functions[0] not in ACTORS or is_user(step):
        return False
    return doing is None or (len(step.functions) == 1 and step.functions[0] in CHOOSERS)


def is_lost(step: StoryStep) -> bool:
    """Whether the thread has given up its CPU, or lost it."""
    inside = "__schedule" in step.functions
    return inside and "fire_sched_in_preempt_notifiers" not in step.functions


def stop(plan: Plan, s: Segment, mine: Segment, others: Sequence[Segment]) -> None:
    """How ``s`` ends, where its thread goes on with ``mine`` after ``others``, in the kernel."""
    last = plan.steps[s.last - 1]
    lost = is_lost(last)
    entered = any(_enters(plan.steps[n - 1]) for n in range(s.first, s.last + 1))
    interrupted = any(x.thread < 0 and x.cpu == s.cpu for x in others)
    if lost and s.begin == "BEGINS" and s.act == "RUN" and not entered:
        _without_entry(s, mine)
    elif lost and last.functions[0] != "preempt_schedule":
        s.end, mine.means, mine.why = "WAITS", FOLLOWS, "it sleeps in the kernel, and is woken"
    elif not lost and plan.waits.get((s.last, s.thread), ALONE) <= mine.last - mine.first:
        alone = plan.waits[s.last, s.thread]
        s.end, mine.means, mine.why = "WAITS", FOLLOWS, "it waits for what the others have done"
        if alone:
            mine.means = INSTEAD
            mine.why += f"; the first {alone} of its steps come before that"
    elif s.act == "RUN" and not lost and (interrupted or s.means == INSTEAD):
        s.end, mine.means = "IN_GUEST", INSTEAD
        mine.why = (
            "the guest runs meanwhile, in place of the kernel around it: it is left for an "
            "interrupt, and entered again"
        )
    else:
        _hold(plan, s, mine, lost)


def _without_entry(s: Segment, mine: Segment) -> None:
    s.act, s.means = "RUN_WITHOUT_ENTRY", INSTEAD
    s.why = (
        "KVM_RUN with a signal pending loads, puts and returns, in place of a load that is "
        "preempted before the entry: `preempted` and `scheduled_out` are not set"
    )
    mine.begin, mine.act = "BEGINS", "RUN"


def _hold(plan: Plan, s: Segment, mine: Segment, lost: bool) -> None:
    """Hold the thread of ``s`` by the module, where a place takes a probe."""
    places, late = hold_places(plan, s, mine)
    if places:
        s.hold = len(plan.holds)
        plan.holds.append(Hold(s.thread, places, lost, s.last))
    s.end = "HELD" if places else "INSIDE"
    if lost:
        s.end = "LOST_CPU" if mine.cpu == s.cpu else s.end
        mine.begin = "COMES_BACK" if mine.cpu == s.cpu else "MOVES"
    mine.means = MODULE if places else HOPED
    if not places:
        mine.why = f"no function begins or ends between steps {s.last} and {mine.first}"
        return
    mine.why = f"held at {_told(places[0])}" + (" until it is to be scheduled" if lost else "")
    if late < s.last:
        mine.why += f"; steps {late + 1} to {s.last} then come after"


def _told(place: tuple[str, bool]) -> str:
    return f"{place[0]}()" + ("'s return" if place[1] else "")


def hold_places(plan: Plan, s: Segment, mine: Segment) -> tuple[tuple[tuple[str, bool], ...], int]:
    """Where a thread can be held between ``s`` and ``mine``, the best first, and after which step.

    What the next segment enters that the former was not in, innermost first: at its entry. Then
    what the former was in and the next is not: at its return. Else what ended last before that.
    """
    begin = next((x for n in range(mine.first, mine.last + 1) if (x := _stack(plan, n))), ())
    for number in range(s.last, s.first - 1, -1):
        end = _stack(plan, number)
        if not end:
            continue
        same = 0
        while same < min(len(end), len(begin)) and end[same] == begin[same]:
            same += 1
        entered = [(f, False) for f in reversed(begin[same:])]
        left = [(f, True) for f in end[same:]]
        if places := tuple(x for x in [*entered, *left] if takes_probe(plan.program, x[0])):
            return places, max(number, s.last if is_lost(plan.steps[s.last - 1]) else number)
    return (), s.last


def _stack(plan: Plan, number: int) -> tuple[str, ...]:
    """The functions of a step; none of one in the scheduler."""
    functions = plan.steps[number - 1].functions
    return () if "__schedule" in functions else functions


def takes_probe(program: Program, function: str) -> bool:
    """Whether the kernel has the function, out of line, and a thread may wait there."""
    body = program.functions.get(function)
    if body is None or function in ENTRIES:
        return False
    mirrored = body.doc.partition("Mirrors:")[2].partition("\n\n")[0]
    return f"{function}()" in mirrored and not re.search(r"\binclude/|\.h\b", mirrored)


def _enters(step: StoryStep) -> bool:
    return any(f in ENTRIES for f in step.functions)


def _last(plan: Plan, s: Segment) -> str:
    """How the last segment of a thread ends, where others go on after it."""
    if plan.waits.get((s.last, s.thread)) == 0 and not is_lost(plan.steps[s.last - 1]):
        return "WAITS"
    if s.act == "RUN" and not is_user(plan.steps[s.last - 1]):
        return "IN_GUEST"
    return "DONE"


def cause(plan: Plan, s: Segment) -> None:
    """What makes the interrupt of ``s`` come."""
    function = plan.steps[s.first - 1].functions[0]
    s.begin, s.act, s.end = "CAUSED", "NOTHING", "INSIDE"
    s.means, s.why = HOPED, "it comes by itself"
    known = CAUSES.get(function)
    if known is not None:
        s.act, s.means, s.why = known
        s.vcpu = 0 if s.act == "INTERRUPT" else -1
        s.end = "DONE" if s.act in ("INTERRUPT", "HOTPLUG") or s.means == FOLLOWS else s.end
