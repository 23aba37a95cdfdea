"""A plan as C: the tables that files/reproduce.c and files/hold.c are compiled with."""

from __future__ import annotations

from ..link.scenario import Scenario
from .acts import ENTRIES
from .plan import Plan, Segment

GUESTS = {
    **dict.fromkeys(("svm", "vmx"), "x86_64"),
    **dict.fromkeys(("arm64", "arm64-nv", "arm64-nvhe"), "aarch64"),
    "riscv": "riscv",
}
"""The architectures that files/guest.h has a guest for, and the compiler's macro."""

PLACES = 6


def render_schedule(plan: Plan, scenario: Scenario) -> str:
    """Return schedule.h: the sizes, who has which vCPU, the segments in order."""
    tasks = scenario.tasks
    sends = any(s.act == "INTERRUPT" for s in plan.segments)
    halts = any("halt" in t.does and t.vcpu is not None for t in tasks) and sends
    rows = [_row(plan, s) for s in plan.segments]
    lines = [
        "/* Written by loadput reproduce; the types are in reproduce.c. */",
        f"#define NCPUS {scenario.cpus}",
        f"#define NVCPUS {len(scenario.vms)}",
        f"#define NTHREADS {len(tasks)}",
        f"#define NHOLDS {len(plan.holds)}",
        f"#define NEEDS_IRQCHIP {int(sends or halts)}",
        "",
        _numbers("vm_of", "NVCPUS", list(scenario.vms)),
        _numbers("vcpu_of", "NTHREADS", [-1 if t.vcpu is None else t.vcpu for t in tasks]),
        _numbers("home_of", "NTHREADS", [min(_cpus(plan, i)) for i in range(len(tasks))]),
        _numbers("is_pinned", "NTHREADS", [int(t.runs != "cpuhp_thread") for t in tasks]),
        "",
        "static const struct segment schedule[] = {",
        *rows,
        "};",
        "",
        "/* When a segment begins: a bit for each point that holds nobody any more. */",
        _numbers("release_of", "", [_released(plan, k) for k in range(len(plan.segments))]),
    ]
    return "\n".join(lines) + "\n"


def _numbers(name: str, size: str, values: list[int]) -> str:
    return f"static const int {name}[{size}] = {{ {', '.join(map(str, values))} }};"


def _cpus(plan: Plan, thread: int) -> list[int]:
    """The CPU on which the thread begins; of one that does nothing, the first."""
    return [s.cpu for s in plan.segments if s.thread == thread][:1] or [0]


def _row(plan: Plan, s: Segment) -> str:
    steps = plan.steps[s.first - 1 : s.last]
    enters = int(any(f in ENTRIES for x in steps for f in x.functions))
    told = f'"{s.first} to {s.last}"'
    return (
        f"\t{{ {s.thread}, {s.cpu}, {s.begin}, {s.act}, {s.end}, "
        f"{s.hold}, {enters}, {s.vcpu}, {told} }},"
    )


def _released(plan: Plan, at: int) -> int:
    """A bit for each point whose thread has gone on when segment ``at`` begins."""
    mask = 0
    for k, s in enumerate(plan.segments):
        if s.hold >= 0:
            later = (j for j in range(k + 1, at + 1) if plan.segments[j].thread == s.thread)
            mask |= (1 << s.hold) if next(later, None) is not None else 0
    return mask


def render_points(plan: Plan) -> str:
    """Return points.h: where the module holds which thread."""
    lines = [
        "/* Written by loadput reproduce; the types are in hold.c. */",
        f"#define NHOLDS {len(plan.holds)}",
        "",
        "static const struct point points[NHOLDS] = {",
    ]
    for h in plan.holds:
        places = [
            f'{{ "{function}", {str(at_return).lower()} }}'
            for function, at_return in h.places[:PLACES]
        ]
        lines.append(f"\t/* after step {h.step} */")
        lines.append(f"\t{{ {h.thread}, {str(h.preempts).lower()}, {{ {', '.join(places)} }} }},")
    return "\n".join([*lines, "};"]) + "\n"


def render_watch(plan: Plan) -> str:
    """Return watch.bt: a bpftrace program that prints who passes the schedule's functions."""
    from .plan import takes_probe

    seen: list[str] = []
    for step in plan.steps:
        for f in step.functions:
            if f not in seen and takes_probe(plan.program, f):
                seen.append(f)
    probes = ",\n".join(f"kprobe:{f}" for f in seen)
    return (
        "#!/usr/bin/env bpftrace\n"
        "/* Who passes which of the schedule's functions, on which CPU: beside the table of\n"
        " * README.md. A function that the compiler has inlined has no probe: take its line out,\n"
        " * or run with BPFTRACE_MISSING_PROBES=ignore. */\n"
        + (
            f'{probes}\n/comm == "reproduce"/\n'
            '{\n\tprintf("%llu c%d %d %s\\n", nsecs, cpu, tid, probe);\n}\n\n'
            if seen
            else ""
        )
        + "tracepoint:sched:sched_switch\n"
        '/args->prev_comm == "reproduce" || args->next_comm == "reproduce"/\n'
        '{\n\tprintf("%llu c%d switch %d (%d) > %d\\n", nsecs, cpu, args->prev_pid,\n'
        "\t       args->prev_state, args->next_pid);\n}\n"
    )
