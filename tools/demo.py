"""What loadput is for, in a minute: a mail judged, four designs compared, an idea refuted and seen.

``make demo`` runs it. Everything is decided here and now; the page it writes needs no server.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import loadput
from loadput.explore.offline import render_file
from loadput.explore.prepare import learn, prepare
from loadput.run.exploration import Known

ROOT = Path(__file__).resolve().parent.parent
ARCHS = ("svm", "vmx", "arm64", "riscv", "loongarch", "mips", "powerpc", "s390")
DESIGNS = {
    "A": "a hook before the load: kvm_arch_sched_in()",
    "B": "an argument of the load",
    "C": "the hook loads itself",
    "D": "a flag in the vCPU: scheduled_out",
}
SKIPS = {
    "skip-i": "the scheduler brought the vCPU back",
    "skip-ii": "... and to the CPU of its last load",
    "skip-iii": "... and this task saved there last",
    "skip-iv": "... and saved since its vcpu_load()",
    "skip-v": "... and the page is of this very vcpu_load()",
}
AREA = "HOST-AREA-FRESH"
WORDS = "--arch svm --design skip-iii --scenario one"


Cell = tuple[str, str, str, int]  # design, architecture, verdict, states


def the_mail() -> list[str]:
    judged = loadput.judge(ROOT / "examples/mail.txt", arch="arm64,svm", scenario="one")
    found = sorted({p.name for j in judged.judging.judged if j.result for p in j.result.properties
                    if p.blame.startswith("new")})  # fmt: skip
    return [*judged.text().splitlines()[:2], f"{'new':14s}{', '.join(found) or 'no violation'}"]


def designs_on(arch: str) -> list[Cell]:
    scenario, known = loadput.load_scenario("one"), Known()
    made = loadput.compare(
        scenario,
        lambda c: loadput.check(c, scenario, known=known),
        designs=tuple(DESIGNS),
        archs=(arch,),
    )
    return [(r.design, r.arch, r.result.verdict, r.result.states) for r in made.rows]


def the_designs(cells: list[Cell]) -> Iterator[str]:
    for design, how in DESIGNS.items():
        rows = [c for c in cells if c[0] == design]
        bad = [f"{verdict} on {arch}" for _, arch, verdict, _ in rows if verdict != "holds"]
        states = sum(c[3] for c in rows)
        told = "; ".join(bad) or f"holds on all {len(rows)}"
        yield f"{design}  {how:46s}{told}, {states:,} states"


def the_skips() -> tuple[list[str], str]:
    """The table, and the address of the page about the third."""
    cases = ("one", str(ROOT / "examples/migrate.toml"))
    lines, page = [], ""
    for design, when in SKIPS.items():
        told = []
        for case in cases:
            scenario = loadput.load_scenario(case)
            r = loadput.check(loadput.Choice("svm", design), scenario, properties=[AREA])
            steps = r.find(AREA).depth
            told.append(f"{steps} steps" if r.verdict == "violated" else r.verdict)
            if (design, case) == ("skip-iii", "one"):
                page = draw(r)
        lines.append(f"{when:45s}" + "".join(f"{t:>12s}" for t in told))
    return lines, page


def draw(result: loadput.Result) -> str:
    subject = prepare(
        result.choice,
        result.scenario,
        command=f"loadput explore {WORDS}",
        replay=f"loadput replay {WORDS}",
    )
    text = render_file(learn(subject, result, (AREA,)), most_states=300)
    page = Path(tempfile.mkdtemp(prefix="loadput-")) / "skip-iii.html"
    page.write_text(text, "utf-8")
    return page.as_uri()


def say(title: str, lines: Iterator[str] | list[str]) -> None:
    print(title, *(f"   {line}" for line in lines), "", sep="\n", flush=True)


def main() -> None:
    with ProcessPoolExecutor(2) as pool:  # most of it is Python that builds programs
        mail = pool.submit(the_mail)
        designs = [pool.submit(designs_on, arch) for arch in ARCHS]
        skips = pool.submit(the_skips)
        say('1. A mail: "note in the vCPU that the scheduler took its CPU away". Does it break?',
            mail.result())  # fmt: skip
        say("2. How may arch code learn that the scheduler brought a vCPU back? Four designs, on\n"
            f"   {', '.join(ARCHS)} (1 CPU, 1 thread):",
            the_designs([cell for d in designs for cell in d.result()]))  # fmt: skip
        table, page = skips.result()
    say("3. AMD: KVM could leave out saving the host's state when ...\n"
        f"   {'':45s}{'1 CPU':>12s}{'2 CPUs':>12s}",
        [*table, f"steps: the shortest schedule by which {AREA} fails"])  # fmt: skip
    say("4. Why the third fails, step by step, beside the design that holds:",
        [page, f"or live: loadput explore {WORDS}"])  # fmt: skip


if __name__ == "__main__":
    main()
