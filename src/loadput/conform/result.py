"""What conformance says, as data: ``loadput conform --json`` writes one of these per recording."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..base.shown import html_table

CONFORMS, DIVERGES, UNDECIDED = "conforms", "diverges", "not decided"
EXIT = {CONFORMS: 0, DIVERGES: 1, UNDECIDED: 4}
# More than this and a race explains too much.
WIDENED_RATIO = 0.01
# Of these one at least must have been compared: the order alone is not what the flags say.
OF_FLAGS = ("preempted", "ready", "scheduled_out", "wants_to_run")


@dataclass(slots=True)
class Count:
    """How often one aspect was compared.

    :param compared: the specification allowed one value, and the kernel had it
    :param widened: the kernel had the value that only a legal race allows
    :param open: the recording does not decide which of two values it must be
    :param diverging: the kernel had a value that the specification does not allow
    """

    aspect: str
    compared: int = 0
    widened: int = 0
    open: int = 0
    diverging: int = 0
    note: str = ""


@dataclass(slots=True)
class Row:
    """One probe event of the divergence's vCPU; flags as probed, -1 where they are not."""

    time_ns: int
    cpu: int
    pid: int
    event: str
    function: str
    preempted: int
    ready: int
    scheduled_out: int
    wants_to_run: int
    vcpu_cpu: int
    irqs_off: bool
    preempt_depth: int
    is_divergence: bool


@dataclass(slots=True)
class Divergence:
    """The first place where the kernel and the specification part.

    :param aspect: order, a flag, cpu, irqs or preempt
    """

    aspect: str
    expected: str
    got: str
    vcpu: str
    time_ns: int
    cpu: int
    pid: int
    event: str
    context: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Fit:
    """One release held against the recording.

    :param rows: probe events that were run
    :param steps: distinct steps of the specification that were executed for it
    """

    release: str
    verdict: str
    rows: int
    steps: int
    counts: list[Count]
    first: Divergence | None = None

    @property
    def diverging(self) -> int:
        return sum(c.diverging for c in self.counts)


@dataclass(slots=True, repr=False)
class Conformance:
    """The answer for one recording.

    :param fits: the release that is reported first, then the others that were tried
    :param told_apart: per other release what tells it from the first; "" where nothing does
    """

    schema: int
    file: str
    uname: str
    arch: str
    verdict: str
    release: str
    event_count: int
    probe_count: int
    vcpu_count: int
    fits: list[Fit]
    told_apart: dict[str, str]
    missing: list[str]
    notes: list[str]
    exit_code: int = 0
    command: str = ""

    def __repr__(self) -> str:
        told = f"{self.probe_count:,} probe events of {self.vcpu_count} vCPUs"
        return f"<{self.file} against {self.release} on {self.arch}: {self.verdict}, {told}>"

    def rows(self) -> list[dict[str, Any]]:
        """A dict per release and aspect: how often it was compared, and how that came out."""
        keys = ("aspect", "compared", "widened", "open", "diverging")
        return [
            {"release": f.release, **{k: getattr(c, k) for k in keys}}
            for f in self.fits
            for c in f.counts
        ]

    def _repr_html_(self) -> str:
        """A notebook's form."""
        return html_table(repr(self), self.rows())


def is_own(uname: str, release: str) -> bool:
    """Whether the recorded kernel is one of this release, or does not say what it is."""
    kernel, known = (re.search(r"\b(\d+\.\d+)\.\d", uname), re.match(r"v(\d+\.\d+)", release))
    return kernel is None or known is None or kernel[1] == known[1]
