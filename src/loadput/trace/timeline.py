"""One self-contained page: CPUs and vCPUs as lanes over time. Needs no network."""

from __future__ import annotations

import base64
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ..base.output import store
from .account.result import Accounting
from .lanes import STATES, Lanes, build_lanes
from .table import Trace

MARKER = "/*DATA*/null"


def write_html(trace: Trace, result: Accounting, path: str | Path) -> None:
    """Write the timeline of ``trace`` to one HTML file.

    :raises TraceError: LP0610, the recording shows no loads and puts
    """
    store(path, render_page(timeline_data(build_lanes(trace), result)).encode())


def write_sequence(
    title: str,
    lanes: list[str],
    steps: list[dict[str, Any]],
    path: str | Path,
    *,
    sub: str = "",
    command: str = "",
) -> None:
    """Write a sequence diagram (a counterexample of the checker) with the same page.

    :param lanes: one name per column, in order
    :param steps: each ``{"lane": index, "text": str}``, and optionally ``"to"`` (another lane,
        drawn as an arrow), ``"note"`` (shown at the side), ``"bad": True``, ``"number"`` (else
        they are counted) and ``"hint"`` (shown on hover)
    :param sub: stands below the title; ``command`` at the foot
    """
    data = {
        "kind": "sequence", "title": title, "lanes": lanes, "steps": steps, "sub": sub,
        "command": command,
    }  # fmt: skip
    store(path, render_page(data).encode(errors="replace"))


def render_page(data: dict[str, Any]) -> str:
    """Return the page with ``data`` in it."""
    page = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    body = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    return page.replace(MARKER, body, 1)


def timeline_data(lanes: Lanes, result: Accounting) -> dict[str, Any]:
    """Return what the page draws: lanes, and columns packed as base64 little-endian arrays."""
    spans, marks, log = lanes.spans, lanes.marks, lanes.log
    cpus = np.unique(log.cpu).tolist()
    base = int(min(spans.start.min(), marks.time.min())) if spans.start.size else 0
    on_cpu = spans.cpu >= 0
    order = np.flatnonzero(on_cpu)
    order = order[np.lexsort((spans.start[order], spans.cpu[order]))]
    return {
        "kind": "timeline",
        "title": "/".join(Path(result.file).parts[-2:]),
        "file": result.file,
        "uname": result.uname,
        "clock": result.clock,
        "inferred": result.is_inferred,
        "missing": result.missing[:20],
        "base_ns": base,
        "span_ns": int(spans.end.max()) - base if spans.end.size else 0,
        "states": STATES,
        "causes": lanes.causes,
        "cpus": cpus,
        "vcpus": [{"name": v.name, "comm": v.comm, "vm": v.vm, "pid": v.pid} for v in log.vcpus],
        "vcpu_spans": _pack(spans, np.arange(spans.start.size), spans.vcpu, base, len(log.vcpus)),
        "cpu_spans": _pack(spans, order, np.searchsorted(cpus, spans.cpu), base, len(cpus)),
        "marks": {
            "time": _b64(marks.time - base, "<f8"),
            "bits": _b64(marks.bits, "u1"),
            "cause": _b64(marks.cause, "u1"),
            "cpu": _b64(marks.cpu, "<i2"),
            "prev": _b64(marks.prev_cpu, "<i2"),
            "first": np.searchsorted(marks.vcpu, np.arange(len(log.vcpus) + 1)).tolist(),
        },
        "counts": result.total.loads,
        "command": result.command,
    }


def _pack(spans: Any, order: Any, lane: Any, base: int, lanes: int) -> dict[str, Any]:
    return {
        "start": _b64(spans.start[order] - base, "<f8"),
        "end": _b64(spans.end[order] - base, "<f8"),
        "state": _b64(spans.state[order], "u1"),
        "vcpu": _b64(spans.vcpu[order], "<u2"),
        "cpu": _b64(spans.cpu[order], "<i2"),
        "first": np.searchsorted(lane[order], np.arange(lanes + 1)).tolist(),
    }


def _b64(column: Any, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(column, dtype=dtype).tobytes()).decode("ascii")
