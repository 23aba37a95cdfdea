"""The log of a recording, by whichever way its events allow."""

from __future__ import annotations

from loadput.base.errors import TraceError

from ..needs import find_roles
from ..table import Trace
from .infer import infer_log
from .log import Log, probed_log


def read_log(trace: Trace) -> Log:
    """Build the log of ``trace``.

    :raises TraceError: LP0610, neither probes nor stock tracepoints show loads and puts
    """
    roles = find_roles(trace)
    if roles.has_probes:
        return probed_log(trace, roles)
    if roles.can_infer:
        return infer_log(trace, roles)
    raise TraceError(
        "LP0610",
        "the recording shows neither loads and puts nor what they could be inferred from",
        where=trace.path,
        got="; ".join(m.text for m in trace.missing[:2]),
        expected="probes on kvm_arch_vcpu_load and kvm_arch_vcpu_put, or the tracepoints "
        "sched_switch and kvm_entry",
        available=", ".join(list(trace.events())[:30]) or "no events",
        next="record with: trace-cmd record -e kvm -e sched_switch -e sched_wakeup",
    )
