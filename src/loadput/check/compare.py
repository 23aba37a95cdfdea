"""Designs against architectures: verdicts, churn, and what each lets the arch code know."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from ..base.errors import Interrupted
from ..base.shown import html_table
from ..ir import ops as o
from ..ir.calls import callees, reach
from ..link.hooks import is_hook
from ..link.layers import DEFAULT_RELEASE
from ..link.overlay import chain, get_overlay, load_modules
from ..link.program import Choice, Program, link
from ..link.scenario import Expected, Scenario
from ..machine.model import build_machine
from .verdict import HOLDS, UNDECIDED, Result

DESIGNS = ("A", "B", "C", "D")
ARCHS = ("svm", "vmx", "arm64", "riscv", "loongarch", "mips", "powerpc", "s390")
"""What is compared where nothing is said: variants such as arm64-nvhe would take over a minute."""


@dataclass(slots=True)
class Row:
    """One design on one architecture.

    :param functions: functions of the architecture that the design makes it define or change
    :param order: for a design with a hook of its own: whether its order to the load can be told
    """

    design: str
    arch: str
    result: Result
    functions: list[str]
    at_load: bool
    at_put: bool
    order: str = ""


@dataclass(slots=True, repr=False)
class Comparison:
    """What was decided; ``left`` are the designs and architectures that were not, interrupted."""

    rows: list[Row] = field(default_factory=list)
    scenario: Scenario | None = None
    release: str = DEFAULT_RELEASE
    left: list[tuple[str, str]] = field(default_factory=list)

    def __repr__(self) -> str:
        bad = [f"{r.design} on {r.arch}" for r in self.rows if r.result.verdict != HOLDS]
        told = f"not holding: {', '.join(bad)}" if bad else "each holds"
        open_ = f", {len(self.left)} not begun" if self.left else ""
        name = self.scenario.name if self.scenario is not None else "?"
        return f"<{len(self.rows)} designs on architectures, scenario {name}: {told}{open_}>"

    def table(self) -> list[dict[str, Any]]:
        """A dict per design and architecture: design, arch, verdict, violated, states."""
        return [
            {
                "design": r.design,
                "arch": r.arch,
                "verdict": r.result.verdict,
                "violated": ", ".join(r.result.violated),
                "states": r.result.states,
            }
            for r in self.rows
        ]

    def _repr_html_(self) -> str:
        """A notebook's form."""
        return html_table(repr(self), self.table())

    def find(self, design: str, arch: str) -> Row:
        """The row of one cell; KeyError where there is none."""
        for r in self.rows:
            if (r.design, r.arch) == (design, arch):
                return r
        raise KeyError((design, arch))

    def known(self, arch: str) -> Expected | None:
        """What the scenario's file says that the release as it is violates on ``arch``."""
        if self.scenario is None or self.release != DEFAULT_RELEASE:
            return None
        e = self.scenario.expected_on(arch)
        return e if e is not None and e.violates else None

    @property
    def exit_code(self) -> int:
        """1 where a design violates what the release as it is does not, 4 where one is open."""
        said = {r.arch: e.violates for r in self.rows if (e := self.known(r.arch))}
        if any(set(r.result.violated) - set(said.get(r.arch, ())) for r in self.rows):
            return 1
        return 4 if self.left or any(r.result.verdict == UNDECIDED for r in self.rows) else 0


def churn(design: str, arch: str, release: str, *more: Path) -> list[str]:
    """The functions of ``arch`` that ``design`` defines or changes, counted from its overlays."""
    names: dict[str, None] = {}
    archs = [a.name for a in chain(get_overlay("arch", arch, *more), *more)]
    releases = [r.folder.name for r in chain(get_overlay("release", release, *more), *more)]
    for overlay in chain(get_overlay("design", design, *more), *more):
        for form in [overlay.folder, *(overlay.folder / "release" / r for r in releases)]:
            folders = [form / "arch" / a for a in archs]
            # A design for one architecture has that architecture's functions at its top.
            for folder in [f for f in [*folders, *([form] if overlay.arch else [])] if f.is_dir()]:
                for m in load_modules(folder, overlay.label, {}):
                    names.update(dict.fromkeys(d.name for d in m.defs if not is_hook(d)))
    return list(names)


def _name_same(rows: list[Row]) -> None:
    """Of rows that are one machine the first is the one searched, whichever thread came first."""
    firsts: dict[str, str] = {}
    for r in rows:
        title, x = r.result.choice.title, r.result.exploration
        first = firsts.setdefault(x.alike or title, title)
        x.title = first if first != title else ""


def learns(p: Program, at: str) -> bool:
    """Whether the arch code at ``kvm_arch_vcpu_load`` or ``_put`` can tell the scheduler's call.

    It can where it is given an argument for it, where a field that only the notifiers write tells
    it, or where the notifier calls a function of its own on the way to it.
    """
    fn = p.functions[at]
    caller = "kvm_sched_in" if at == "kvm_arch_vcpu_load" else "kvm_sched_out"
    plain = "vcpu_load" if at == "kvm_arch_vcpu_load" else "vcpu_put"
    if len(fn.params) > (2 if at == "kvm_arch_vcpu_load" else 1):
        return True
    others = callees(p.functions[plain])
    own = [c for c in callees(p.functions[caller]) if c not in others]
    if at in reach(p.functions, (c for c in own if c.startswith("kvm_arch_"))):
        return True
    return "kvm_vcpu.scheduled_out" in _stores(p, caller)


def _told(p: Program) -> tuple[list[str], bool, bool]:
    """What a design changes of the architecture, and what it lets it know at load and at put."""
    c = p.choice
    changed = churn(c.design, c.arch, c.release, *c.search)
    return changed, learns(p, "kvm_arch_vcpu_load"), learns(p, "kvm_arch_vcpu_put")


def _stores(p: Program, name: str) -> set[str]:
    ops = [op for b in p.functions[name].blocks for op in b.ops]
    return {op.place.var for op in ops if isinstance(op, o.Store)}


Fact = Callable[[str, tuple[Choice, ...], Scenario, Callable[[], Any]], Any]


def work_out(of: str, choices: tuple[Choice, ...], s: Scenario, make: Callable[[], Any]) -> Any:
    """``make()``: what is said ``of`` some programs, kept nowhere."""
    return make()


def order_matters(
    a: Result, swapped: Choice, run: Callable[[Choice], Result], fact: Fact = work_out
) -> str:
    """Whether a run can tell the hook before the load from the hook after it.

    A differential run of kvm_sched_in over its inputs comes first; only where it tells the two
    orders apart is the swapped program decided too, and its verdicts are compared.
    """
    from .equiv import EQUAL, EQUIVALENT
    from .equiv import Comparison as Differential

    def same() -> bool:
        machine = build_machine(link(swapped, a.scenario))
        verdict = Differential(a.machine, machine).compare("kvm_sched_in").verdict
        return verdict in (EQUAL, EQUIVALENT)

    if fact(f"kvm_sched_in alike, fusing {a.fusing}", (a.choice, swapped), a.scenario, same):
        return "no"
    before = {p.name: p.verdict for p in a.properties}
    changed = [p.name for p in run(swapped).properties if p.verdict != before.get(p.name)]
    return f"yes: {', '.join(changed)}" if changed else "seen, no verdict changes"


def compare(
    scenario: Scenario,
    run: Callable[[Choice], Result],
    *,
    designs: tuple[str, ...] = DESIGNS,
    archs: tuple[str, ...] = ARCHS,
    release: str = DEFAULT_RELEASE,
    search: tuple[Path, ...] = (),
    at_once: int = 1,
    fact: Fact = work_out,
) -> Comparison:
    """Decide every design on every architecture; where ``run`` raises Interrupted, what it can.

    :param run: decides one choice; called by ``at_once`` threads
    :param search: further folders with overlays
    :param fact: keeps what is worked out about programs, or gives what was kept
    """

    def row(of: tuple[str, str]) -> Row | None:
        design, arch = of
        try:
            r = run(Choice(arch, design, release, search=search))
        except Interrupted:
            return None
        order = ""
        if design == "A":
            try:
                other = Choice(arch, "A-swapped", release, search=search)
                order = order_matters(r, other, run, fact)
            except Interrupted:
                order = UNDECIDED
        changed, load, put = fact("design", (r.choice,), scenario, lambda: _told(r.built.program))
        return Row(design, arch, r, changed, load, put, order)

    cells = list(product(designs, archs))
    # The largest programs are x86's, the first in ARCHS, and A's, which runs twice: with them at
    # the start no core waits for one at the end. C comes last, as it may be A's machine.
    order = ("A", "D", "B")
    first = sorted(cells, key=lambda c: (archs.index(c[1]), (*order, c[0]).index(c[0])))
    with ThreadPoolExecutor(at_once) as pool:
        done = dict(zip(first, pool.map(row, first), strict=True))
    rows = [r for r in (done[c] for c in cells) if r is not None]
    _name_same(rows)
    return Comparison(
        scenario=scenario, release=release, rows=rows, left=[c for c in cells if done[c] is None]
    )
