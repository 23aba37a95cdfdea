"""A plan in words: README.md of the folder."""

from __future__ import annotations

import textwrap

from ..check.story import StoryStep
from ..link.hooks import Property
from ..link.scenario import Scenario
from .acts import TOLD
from .plan import FOLLOWS, HOPED, INSTEAD, MODULE, USER, Plan, Segment, thread_of

MEANS = {
    USER: "the program makes it happen in this order",
    MODULE: "the module holds the thread until the others have come to where they should be",
    FOLLOWS: "the kernel does it by itself after what came before",
    INSTEAD: "something that user space can force stands in for it; what differs is said",
    HOPED: "nothing here forces it: the rounds have to meet it",
}


def render_readme(
    plan: Plan, scenario: Scenario, prop: Property, *, title: str, command: str, has_guest: bool
) -> str:
    """Return the page: the schedule, what forces each step, what to run, what would refute it."""
    parts = [
        f"# {prop.name} on {title}",
        f"*{' '.join(prop.sentence.split())}*",
        f"Scenario {scenario.name}: {scenario.title or 'as below'}. {len(plan.steps)} steps. "
        f"Written by `{command}`. A model shows it; does a kernel?",
        "## The schedule",
        _segments(plan),
        "## Each step",
        _legend(plan),
        _steps(plan),
        "## To run it",
        _to_run(plan, scenario, has_guest=has_guest),
        "## What to look at",
        _look(plan, prop, has_guest=has_guest),
    ]
    return "\n\n".join(p.rstrip("\n") if p.startswith("|") else p for p in parts if p) + "\n"


def _who(s: Segment, plan: Plan) -> str:
    return plan.steps[s.first - 1].context if s.thread < 0 else f"T{s.thread}"


def _span(s: Segment) -> str:
    return f"{s.first} to {s.last}" if s.last > s.first else str(s.first)


def _segments(plan: Plan) -> str:
    rows = ["| steps | who | where | does | until | by |", "|---|---|---|---|---|---|"]
    ends = {
        "DONE": "it is done",
        "IN_GUEST": "its guest runs",
        "LOST_CPU": "another thread takes the CPU",
        "WAITS": "it waits for others",
        "INSIDE": "somewhere inside",
        "OVER": "the end",
    }
    for s in plan.segments:
        end = ends.get(s.end, "")
        if s.hold >= 0:
            function, at_return = plan.holds[s.hold].places[0]
            end = f"`{function}()`" + (" returns" if at_return else "")
        what = plan.steps[s.first - 1].functions[0] + "()" if s.thread < 0 else TOLD[s.act]
        means = f"{s.means}: {s.why}" if s.why else s.means
        rows.append(f"| {_span(s)} | {_who(s, plan)} | c{s.cpu} | {what} | {end} | {means} |")
    return "\n".join(rows)


def _legend(plan: Plan) -> str:
    used = {plan.means_of(n)[0] for n in range(1, len(plan.steps) + 1)}
    return "\n".join(f"* *{name}*: {told}." for name, told in MEANS.items() if name in used)


def _steps(plan: Plan) -> str:
    rows = ["| # | CPU | who | function | changes | |", "|---:|---|---|---|---|---|"]
    for number, step in enumerate(plan.steps, 1):
        means, why = plan.means_of(number)
        first = (s := plan.segment_of(number)) is None or number == s.first
        said = f"{means}: {why}" if why and first and thread_of(step) is None else means
        rows.append(
            f"| {number} | c{step.cpu} | {step.context} | `{step.function}` | {_changes(step)} | "
            f"{said} |"
        )
    return "\n".join(rows)


def _changes(step: StoryStep) -> str:
    told = [f"`{c.name}` {c.before} > {c.after}" for c in step.changes if not c.ghost]
    found = [f"**{f.property}**" for f in step.findings]
    return ", ".join([*told[:4], *(["…"] if len(told) > 4 else []), *found])


def _to_run(plan: Plan, scenario: Scenario, *, has_guest: bool) -> str:
    cpus = scenario.cpus
    out = [
        f"A machine with KVM on that architecture, {cpus} CPUs or better {cpus + 1}, root, and "
        "nothing on it that matters.",
    ]
    if has_guest:
        out += [
            "    make\n    ./reproduce            # the schedule, 100 rounds\n"
            "    ./reproduce -c         # the control: the same acts, one after the other",
            f"`-p 1,2` names the CPUs that stand for {_names(cpus)}; c0 has to be one that goes "
            "offline where the schedule takes a CPU offline.",
        ]
    else:
        out.append(
            "No guest is written for this architecture, so there is no program here: the table "
            "says what a VMM's threads have to do."
        )
    if plan.holds:
        out += [
            "The module holds threads inside the kernel; it needs the kernel's headers, and "
            "taints. It is loaded before the program:",
            "    make -C module\n    insmod module/hold.ko",
            "A place that takes no probe there, as its function was inlined, is said in the "
            "kernel's log; the next one is taken, and without any the module is refused.",
        ]
    out += _recipe(plan)
    out.append(
        "`watch.bt` (bpftrace) prints who passes which function on which CPU, to be read beside "
        "the table above."
    )
    return "\n\n".join(p if p.startswith("    ") else textwrap.fill(p, 99) for p in out)


def _names(cpus: int) -> str:
    return ", ".join(f"c{c}" for c in range(cpus))


def _recipe(plan: Plan) -> list[str]:
    """What a kernel that one builds could do for the steps that nothing here forces."""
    hoped = [s for s in plan.segments if s.means == HOPED and s.thread >= 0]
    out = []
    for s in hoped:
        before = next(x for x in reversed(plan.segments[: plan.segments.index(s)])
                      if x.thread == s.thread)  # fmt: skip
        step = plan.steps[before.last - 1]
        out.append(
            f"Step {s.first} is hoped for. In a kernel of one's own, a delay makes it likely: "
            f'`if (!strcmp(current->comm, "reproduce")) mdelay(5);` in `{step.function}()`, '
            f"where the specification has {step.source}."
        )
    return out


def _look(plan: Plan, prop: Property, *, has_guest: bool) -> str:
    last = plan.steps[-1]
    read = [f"{n} = {v}" for f in last.findings if f.property == prop.name for n, v in f.read]
    out = []
    if read:
        out.append(
            f"The model finds it in `{last.function}()` with {', '.join(f'`{r}`' for r in read)}."
        )
    if has_guest:
        out += [
            "The program sees: a register that the guest has otherwise than the host set it last; "
            "a word of the guest's memory from a page that the host took back; a register or the "
            "LDT of a thread that is another's on its return from KVM; a WARN, BUG or list "
            "corruption in the kernel's log. What the property asks beyond that it does not see; "
            "`watch.bt` and a probe on the fields above do.",
            "* Confirmed: `RESULT damage` is not 0, and of `-c` it is 0.\n"
            "* Refuted: `RESULT schedule forced` is n of n, a trace of `watch.bt` has the order of "
            "the table, and there is no damage. Where the schedule was forced 0 times nothing is "
            "said either way.",
        ]
    else:
        out.append(
            "* Confirmed: a trace with the order of the table, and the state above.\n"
            "* Refuted: the order, and another state."
        )
    fill = [p if p.startswith("* ") else textwrap.fill(p, 99) for p in out]
    return "\n\n".join(fill)
