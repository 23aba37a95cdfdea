"""The accounting as text that fits a plain-text mail: at most 72 columns, no colour."""

from __future__ import annotations

import textwrap

from .result import Accounting, Row
from .skip import OWN_AREA, TAGGED, Skip
from .stats import Dist

WIDTH = 72
SHOWN_VCPUS = 24
SHOWN_MISSING = 6


def render_accounting(result: Accounting) -> str:
    """Return the report of one recording; deterministic, lines of at most 72 columns."""
    parts = [
        _head(result),
        _counts(result),
        _times(result),
        _instead(result),
        _skips(result),
        _edges(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def wrap(text: str, indent: str = "") -> str:
    """Wrap to 72 columns; long words (paths, commands) may stand over."""
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _head(result: Accounting) -> str:
    vms = {v.vm for v in result.vcpus if v.vm}
    where = f"{len(vms)} VM{'s' * (len(vms) != 1)}" if vms else "VMs not told apart"
    lines = [
        wrap(result.file),
        wrap(
            f"{result.kind}, {result.uname or 'system not recorded'}, "
            f"clock {result.clock or 'not recorded'}"
        ),
        f"{result.event_count:,} events, {len(result.vcpus)} vCPUs, {where}, "
        f"{result.cpu_count} CPUs",
    ]
    if result.has_ns_clock:
        lines.append(
            f"loads counted from {result.start_ns / 1e9:.6f} to {result.end_ns / 1e9:.6f} "
            f"({result.span_ns / 1e9:.3f} s)"
        )
    if result.missing:
        lines.append(f"INCOMPLETE, {len(result.missing)} gaps:")
        lines += [wrap(m, "  ") for m in result.missing[:SHOWN_MISSING]]
        if len(result.missing) > SHOWN_MISSING:
            lines.append(f"  and {len(result.missing) - SHOWN_MISSING} more (see --json)")
    else:
        lines.append("complete: nothing is known to be lost")
    if result.is_inferred:
        lines.append("INFERRED from stock tracepoints, not seen:")
    lines += [wrap(note, "  ") for note in result.notes]
    return "\n".join(lines)


def _counts(result: Accounting) -> str:
    head1 = f"{'':14}{'---------- loads by ---------':>29}  {'---- out, and ----':>18}{'':7}"
    head2 = (
        f"{'':14}{'vcpu_load':>9}{'sched_in':>9}{'direct':>7}{'?':>4}"
        f"{'runnable':>10}{'yield':>7}{'blocked':>8}"
    )
    lines = ["LOADS AND PUTS", "", head1.rstrip(), head2]
    lines.append(_count_line(result.total))
    for rows in (result.by_vm, result.by_vcpu[:SHOWN_VCPUS], result.by_cpu):
        if len(rows) > 1:
            lines += ["", *[_count_line(row) for row in rows]]
    hidden = len(result.by_vcpu) - SHOWN_VCPUS
    if hidden > 0:
        lines.append(f"  and {hidden} more vCPUs (see --json)")
    tasks = [f"{v.name} {v.comm}" for v in result.vcpus if "@" in v.name and v.comm]
    if tasks:
        lines += ["", wrap("tasks: " + "; ".join(tasks[:SHOWN_VCPUS]))]
    lines += ["", f"loads on another CPU than the last: {result.total.migrations:,}"]
    return "\n".join(lines)


def _count_line(row: Row) -> str:
    loads, outs = row.loads, row.outs
    return (
        f"{row.name[:14]:14}{loads['vcpu_load']:9,}{loads['sched_in']:9,}{loads['direct']:7,}"
        f"{loads['unknown']:4}{outs['preempted']:10,}{outs['yielded']:7,}{outs['blocked']:8,}"
    )


def _times(result: Accounting) -> str:
    if not result.has_ns_clock:
        return f"TIMES\n\nnot given: the clock {result.clock!r} does not count time"
    head = f"{'':17}{'count':>9}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>10}  log2"
    lines = ["TIMES (ms)", "", head]
    for name, dist in result.dists.items():
        lines.append(_dist_line(name, dist))
    total = result.total
    lines += [
        "",
        f"in all (s): loaded {total.loaded_ns / 1e9:.3f}, in the guest at most "
        f"{total.guest_ns / 1e9:.3f};",
        f"waiting runnable {total.preempted_ns / 1e9:.3f}, blocked {total.blocked_ns / 1e9:.3f}, "
        f"woken to load {total.woken_ns / 1e9:.3f}",
    ]
    return "\n".join([*lines, *_shares(result)])


def _shares(result: Accounting) -> list[str]:
    # Each as a part of the time counted, of one vCPU on average.
    if result.span_ns <= 0:
        return []
    heads = ("loaded", "guest<=", "preempted", "blocked", "woken", "steal")
    lines = ["", "PERCENT of the time counted, per vCPU"]
    lines += ["", f"{'':15}" + "".join(f"{h:>9}" for h in heads)]
    for rows in ([result.total], result.by_vm, result.by_vcpu[:SHOWN_VCPUS]):
        if rows and (len(rows) > 1 or rows[0] is result.total):
            lines += [_share_line(row, result.span_ns) for row in rows]
    return lines


def _share_line(row: Row, span_ns: int) -> str:
    values = (
        row.loaded_ns, row.guest_ns, row.preempted_ns, row.blocked_ns, row.woken_ns, row.steal_ns,
    )  # fmt: skip
    whole = span_ns * max(row.vcpu_count, 1)
    parts = ("-" if v < 0 else f"{100 * v / whole:.2f}" for v in values)
    return f"{row.name[:14]:15}" + "".join(f"{p:>9}" for p in parts)


def _dist_line(name: str, dist: Dist) -> str:
    if not dist.count:
        return f"{name:17}{0:9}"
    p = dist.percentiles_ns
    values = "".join(f"{p[k] / 1e6:9.3f}" for k in ("p50", "p90", "p99"))
    return f"{name:17}{dist.count:9,}{values}{dist.max_ns / 1e6:10.3f}  {_bars(dist.histogram)}"


def _bars(histogram: list[int]) -> str:
    # Eight columns of ASCII height, from 2^10 ns up, four powers of two each.
    groups = [sum(histogram[:10])] + [sum(histogram[k : k + 4]) for k in range(10, 34, 4)]
    top = max(groups) or 1
    return "".join(" .:-=+*#"[min(7, -(-7 * g // top))] for g in groups).rstrip()


def _instead(result: Accounting) -> str:
    lines = []
    if result.instead:
        lines += ["WHO RAN INSTEAD of a runnable vCPU", ""]
        for row in result.instead[:8]:
            name = row.name if row.is_vcpu else row.name[:28]
            wait = f"{row.wait_ns / 1e9:10.3f} s waited" if result.has_ns_clock else ""
            lines.append(f"  {name:30}{row.count:9,}{wait}")
        if len(result.instead) > 8:
            lines.append(f"  and {len(result.instead) - 8} more (see --json)")
    yields = result.yields
    if yields.attempts:
        if lines:
            lines.append("")
        lines.append(
            wrap(
                f"Directed yields: {yields.spins:,} spins, {yields.attempts:,} tries; the target "
                f"was loaded already in {yields.loaded:,}, the yielder was not switched out in "
                f"{yields.stayed:,}, the waiting target ran before the yielder came back in "
                f"{yields.helped:,}."
            )
        )
    return "\n".join(lines)


def _skips(result: Accounting) -> str:
    if not result.skips:
        return ""
    lines = ["WHAT A DESIGN COULD SKIP: loads whose own state is still on the CPU"]
    lines.append(f"{'':37}{'skips':>7}{'share':>7}{'95%':>13}{'wrong':>8}")
    last = ("", "")
    for skip in result.skips:
        if (skip.state, skip.cause) != last:
            last = (skip.state, skip.cause)
            what = "Host state (the task's)" if skip.state == "host" else "Guest state"
            at = "any load" if skip.cause == "any" else skip.cause
            lines += ["", f"{what}, {skip.loads:,} loads by {at}"]
        lines.append(_skip_line(skip))
    unknown = max(s.unknown for s in result.skips)
    if unknown:
        lines += ["", f"{unknown:,} loads left out: events were lost before them"]
    lines += ["", *_worth(result)]
    return "\n".join(lines)


def _skip_line(skip: Skip) -> str:
    share = f"{100 * skip.skips / skip.loads:.1f}%" if skip.loads else "-"
    interval = "too short"
    if skip.interval is not None:
        interval = f"{100 * skip.interval[0]:.1f}..{100 * skip.interval[1]:.1f}"
    if not skip.skips and skip.rule.startswith("never"):
        interval = ""
    wrong = f"{skip.wrong:,}" if skip.wrong >= 0 else "?"
    return f"  {skip.rule[:35]:35}{skip.skips:7,}{share:>7}{interval:>13}{wrong:>8}"


def _worth(result: Accounting) -> list[str]:
    lines = []
    for s in result.savings:
        lines.append(
            wrap(
                f'The rule "{s.rule}" is right by construction. Its skips would have saved '
                f"{s.count:,} times {s.work}: {s.cycles_low:,.0f} to {s.cycles_high:,.0f} cycles "
                f"in this recording ({s.source})."
            )
        )
        if s.share_low >= 0:
            lines.append(
                wrap(
                    f"That is {100 * s.share_low:.6f}% to {100 * s.share_high:.6f}% of the CPU "
                    "time of the recording at the frequency given."
                )
            )
        else:
            lines.append(
                wrap(
                    "Share of time: not given. It needs a recording of a real machine and its "
                    "frequency (--ghz)."
                )
            )
    if not lines:
        lines.append(
            wrap(
                "Cycles: not given. The cost table has no entry for the work that these loads "
                "do here (--costs FILE)."
            )
        )
    return lines


def _edges(result: Accounting) -> str:
    out = [
        "NOT COVERED",
        "",
        wrap(
            '"wrong" for host state: the area of this CPU was last written for another vCPU or '
            "task, or before this vcpu_load. A change of the task's state by others while it was "
            "out (modify_ldt of a sibling thread) is not in a trace."
        ),
        wrap(
            '"wrong" for guest state: another vCPU was loaded here, or this one elsewhere, since. '
            "Writes to saved state by userspace ioctls (a dirty mark) are seen only where a "
            "probe records them."
        ),
        wrap(
            "Times are the recording's own clock. Whether it is a real machine's or an "
            "emulator's is not in the file."
        ),
    ]
    if result.absent:
        out.append(wrap("Not recorded: " + ", ".join(result.absent) + "."))
    if result.command:
        out += ["", f"reproduce: {result.command}"]
    return "\n".join(out)


def render_comparison(results: list[Accounting]) -> str:
    """Return the main figures of several recordings side by side, four to a table."""
    blocks = []
    for first in range(0, len(results), 4):
        group = results[first : first + 4]
        names = [chr(ord("A") + first + i) for i in range(len(group))]
        lines = ["SIDE BY SIDE", ""]
        lines += [wrap(f"{n} = {r.file}", "") for n, r in zip(names, group, strict=True)]
        lines += ["", f"{'':28}" + "".join(f"{n:>11}" for n in names)]
        for label, values in _compared(group):
            lines.append(f"{label:28}" + "".join(f"{v:>11}" for v in values))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _compared(group: list[Accounting]) -> list[tuple[str, list[str]]]:
    rows = [
        ("loads by vcpu_load", [f"{r.total.loads['vcpu_load']:,}" for r in group]),
        ("loads by sched_in", [f"{r.total.loads['sched_in']:,}" for r in group]),
        ("out, runnable", [f"{r.total.outs['preempted']:,}" for r in group]),
        ("out, yielded", [f"{r.total.outs['yielded']:,}" for r in group]),
        ("out, blocked", [f"{r.total.outs['blocked']:,}" for r in group]),
        ("on another CPU", [f"{r.total.migrations:,}" for r in group]),
    ]
    for state, cause, rule, label in (
        ("host", "sched_in", OWN_AREA, "host: same CPU, own area"),
        ("host", "sched_in", TAGGED, "host: tagged area"),
        ("guest", "sched_in", "both", "guest at sched_in: both"),
        ("guest", "vcpu_load", "both", "guest at vcpu_load: both"),
    ):
        found = [
            next((s for s in r.skips if (s.state, s.cause, s.rule) == (state, cause, rule)), None)
            for r in group
        ]
        rows.append((label, [_share(s) for s in found]))
        rows.append(("  95%", [_interval(s) for s in found]))
        rows.append(("  wrong", [f"{s.wrong:,}" if s and s.wrong >= 0 else "?" for s in found]))
    return rows


def _share(skip: Skip | None) -> str:
    return f"{100 * skip.skips / skip.loads:.1f}%" if skip and skip.loads else "-"


def _interval(skip: Skip | None) -> str:
    if skip is None or skip.interval is None:
        return "-"
    return f"{100 * skip.interval[0]:.1f}..{100 * skip.interval[1]:.1f}"
