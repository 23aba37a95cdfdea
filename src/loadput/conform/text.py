"""Conformance as text that fits a plain-text mail: at most 72 columns, no colour."""

from __future__ import annotations

import re
import textwrap

from .result import (
    CONFORMS,
    DIVERGES,
    OF_FLAGS,
    Conformance,
    Count,
    Divergence,
    Fit,
    Row,
    is_own,
)

WIDTH = 72
SHOWN_MISSING = 6
LABEL = {
    "cpu": "vcpu->cpu", "irqs": "IRQs off", "preempt": "preemption off", "mode": "vcpu->mode",
    "restore": "CSR restore",
}  # fmt: skip


def render_conformance(result: Conformance) -> str:
    """Return the report of one recording; deterministic."""
    fit = result.fits[0]
    parts = [_head(result), _verdict(result, fit), _counts(fit)]
    if fit.first is not None:
        parts.append(_divergence(fit.first, fit.release))
    parts += [_releases(result), _edges(result)]
    return "\n\n".join(p for p in parts if p) + "\n"


def wrap(text: str, indent: str = "", more: str | None = None) -> str:
    """Wrap to 72 columns; long words (paths, commands) may stand over."""
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent if more is None else more,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _head(r: Conformance) -> str:
    lines = [
        wrap(r.file),
        wrap(r.uname or "system not recorded"),
        f"{r.event_count:,} events, {r.probe_count:,} of them run, {r.vcpu_count} vCPUs, {r.arch}",
    ]
    if r.missing:
        lines.append(f"INCOMPLETE, {len(r.missing)} gaps:")
        lines += [wrap(m, "  ") for m in r.missing[:SHOWN_MISSING]]
        if len(r.missing) > SHOWN_MISSING:
            lines.append(f"  and {len(r.missing) - SHOWN_MISSING} more (see --json)")
    lines += [wrap(note, "  ") for note in r.notes]
    return "\n".join(lines)


def _verdict(r: Conformance, fit: Fit) -> str:
    if r.verdict == CONFORMS:
        return wrap("CONFORMS: " + fits_words(r.uname, r.release, fit) + ".")
    if r.verdict == DIVERGES:
        return wrap(
            f"DIVERGES: {r.release} does not allow {fit.diverging:,} of what was compared."
            + (" Every other release diverges too." if len(r.fits) > 1 else "")
        )
    if fit.diverging:
        why = "events were lost, nobody knows where, and that may be why it diverges"
    elif not any(c.compared for c in fit.counts):
        why = "nothing could be compared"
    elif not any(c.compared for c in fit.counts if c.aspect in OF_FLAGS):
        why = "no probe reads a flag (preempted, ready, so, wants), and the order alone says little"
    else:
        why = "what may be a race, or a missing event, explains too much"
    return wrap(f"NOT DECIDED against {r.release}: {why}.")


def fits_words(uname: str, release: str, fit: Fit) -> str:
    """``fits v6.12``; only its common functions where the recorded kernel is another release."""
    if not is_own(uname, release):
        kernel = re.search(r"\b(\d+\.\d+)\.\d", uname)
        assert kernel
        return f"fits {release}'s common functions (there is no release v{kernel[1]} here)"
    return f"fits {release}"


def _counts(fit: Fit) -> str:
    lines = [f"{'':16}{'compared':>11}{'by a race':>11}{'open':>9}{'diverging':>11}"]
    notes = []
    for c in fit.counts:
        if c.compared + c.widened + c.open + c.diverging == 0:
            notes.append(wrap(f"{_label(c)}: not comparable: {c.note or 'no event'}", "", "  "))
            continue
        mark = " *" if c.note else ""
        lines.append(
            f"{_label(c):16}{c.compared:>11,}{c.widened:>11,}{c.open:>9,}{c.diverging:>11,}{mark}"
        )
        if c.note:
            notes.append(wrap(f"* {_label(c)}: {c.note}", "", "  "))
    return "\n".join([*lines, *notes])


def _label(c: Count) -> str:
    return LABEL.get(c.aspect, c.aspect)


def _divergence(d: Divergence, release: str) -> str:
    lines = [
        wrap(
            f"FIRST DIVERGENCE: {LABEL.get(d.aspect, d.aspect)} of vCPU {d.vcpu} at {d.event}, "
            f"{d.time_ns / 1e9:.9f} s, CPU {d.cpu}, pid {d.pid}"
        ),
        wrap(f"{release} allows: {d.expected}", "  ", "    "),
        wrap(f"the kernel had: {d.got}", "  ", "    "),
        "",
        f"  {'time/s':>15} {'CPU':>3} {'pid':>7} {'':27}p r o w vCPU",
    ]
    return "\n".join([*lines, *[_row(row) for row in d.context]])


def _row(row: Row) -> str:
    flags = " ".join(
        "-" if f < 0 else str(f)
        for f in (row.preempted, row.ready, row.scheduled_out, row.wants_to_run)
    )
    cpu = "-" if row.vcpu_cpu == -2 else str(row.vcpu_cpu)
    mark = ">" if row.is_divergence else " "
    function = row.function.replace(" returns", "()=")[:26]
    return (
        f"{mark} {row.time_ns / 1e9:15.9f} {row.cpu:>3} {row.pid:>7} {function:27}{flags} {cpu:>4}"
    )


def _releases(r: Conformance) -> str:
    if len(r.fits) < 2:
        return ""
    lines = [f"WHAT TELLS {r.release} FROM THE OTHERS", ""]
    for fit in r.fits[1:]:
        said = r.told_apart[fit.release]
        if not said:
            said = "nothing in this recording"
        elif fit.first is not None:
            said += f" ({fit.first.time_ns / 1e9:.6f} s, vCPU {fit.first.vcpu})"
        lines.append(wrap(f"{fit.release}: {said}", "", "  "))
    return "\n".join(lines)


def _edges(r: Conformance) -> str:
    out = [
        "NOT COVERED",
        "",
        wrap(
            "p preempted, r ready, o scheduled_out, w wants_to_run, vCPU vcpu->cpu, at the probe. "
            "Each prediction starts from what the probe before it saw. By a race: the value that "
            "only a racing wakeup, signal, missed return probe or new vCPU at the same address "
            "explains. Open: the recording leaves two values; wants_to_run at vcpu_load is "
            "user space's choice."
        ),
        wrap(
            "kvm_running_vcpu and the notifier are followed but no probe shows them. What runs "
            "between load and put (the run loop) is not run, only compared with."
        ),
    ]
    if r.command:
        out += ["", f"reproduce: {r.command}"]
    return "\n".join(out)
