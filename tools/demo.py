"""What loadput is for, in a minute: a mail judged, four designs compared, an idea refuted and seen.

``make demo`` runs it. Everything is decided here and now; the page it writes needs no server.
"""

from __future__ import annotations

import tempfile
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


def say(text: str = "") -> None:
    print(text, flush=True)


def judge_the_mail() -> None:
    say('1. A mail: "note in the vCPU that the scheduler took its CPU away". Does it break?')
    judged = loadput.judge(ROOT / "examples/mail.txt", arch="arm64,svm", scenario="one")
    for line in judged.text().splitlines()[:2]:
        say(f"   {line}")
    found = sorted({p.name for j in judged.judging.judged if j.result for p in j.result.properties
                    if p.blame.startswith("new")})  # fmt: skip
    say(f"   {'new':14s}{', '.join(found) or 'no violation'}")


def compare_designs() -> None:
    say("\n2. How may arch code learn that the scheduler brought a vCPU back? Four designs, on")
    say(f"   {', '.join(ARCHS)} (1 CPU, 1 thread):")
    scenario, known = loadput.load_scenario("one"), Known()
    made = loadput.compare(
        scenario,
        lambda c: loadput.check(c, scenario, known=known),
        designs=tuple(DESIGNS),
        archs=ARCHS,
        at_once=2,
    )
    for design, how in DESIGNS.items():
        rows = [r for r in made.rows if r.design == design]
        bad = [f"{r.result.verdict} on {r.arch}" for r in rows if r.result.verdict != "holds"]
        states = sum(r.result.states for r in rows)
        told = "; ".join(bad) or f"holds on all {len(rows)}"
        say(f"   {design}  {how:46s}{told}, {states:,} states")


def refute_the_skips() -> loadput.Result:
    say("\n3. AMD: KVM could leave out saving the host's state when ...")
    say(f"   {'':45s}{'1 CPU':>12s}{'2 CPUs':>12s}")
    cases = ("one", str(ROOT / "examples/migrate.toml"))
    shown = None
    for design, when in SKIPS.items():
        told = []
        for case in cases:
            scenario = loadput.load_scenario(case)
            r = loadput.check(loadput.Choice("svm", design), scenario, properties=[AREA])
            steps = r.find(AREA).depth
            told.append(f"{steps} steps" if r.verdict == "violated" else r.verdict)
            shown = r if (design, case) == ("skip-iii", "one") else shown
        say(f"   {when:45s}" + "".join(f"{t:>12s}" for t in told))
    say(f"   steps: the shortest schedule by which {AREA} fails")
    assert shown is not None
    return shown


def draw(result: loadput.Result) -> None:
    words = "--arch svm --design skip-iii --scenario one"
    subject = prepare(
        result.choice,
        result.scenario,
        command=f"loadput explore {words}",
        replay=f"loadput replay {words}",
    )
    text = render_file(learn(subject, result, (AREA,)), most_states=300)
    page = Path(tempfile.mkdtemp(prefix="loadput-")) / "skip-iii.html"
    page.write_text(text, "utf-8")
    say("\n4. Why the third fails, step by step, beside the design that holds:")
    say(f"   {page.as_uri()}")
    say(f"   or live: loadput explore {words}")


def main() -> None:
    judge_the_mail()
    compare_designs()
    draw(refute_the_skips())


if __name__ == "__main__":
    main()
