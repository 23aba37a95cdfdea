"""Litmus tests under each memory model: `python examples/litmus.py` prints docs/memory.md's table.

A row is a test's name, its threads, and the outcome that is asked about. Statements: ``x = 1`` a
WRITE_ONCE, ``r0 = y`` a READ_ONCE, ``mb``, ``rmb``, ``wmb``, ``rel x 1`` and ``r0 = acq y`` release
and acquire, ``stmb x 1`` smp_store_mb(), ``xchg x 1``, ``r0 = xchg x 1``, ``inc x`` atomic_inc().
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from loadput.api import Choice, check, make_scenario

# Allowed by x86-TSO: P. Sewell, S. Sarkar, S. Owens, F. Zappa Nardelli, M. O. Myreen, "x86-TSO",
# CACM 53(7), 2010; Intel SDM vol. 3, 8.2.3 (its examples: 8-1 to 8-10 in brackets); the names of
# J. Alglave, L. Maranget, M. Tautschnig, "Herding cats", TOPLAS 36(2), 2014.
SC, TSO, NO = "sc", "tso", "no"
"""The strongest model that allows the outcome; NO: neither does."""
TESTS = [
    ("SB", ["x = 1; r0 = y", "y = 1; r1 = x"], "r0 == 0 and r1 == 0", TSO),
    ("SB+mbs", ["x = 1; mb; r0 = y", "y = 1; mb; r1 = x"], "r0 == 0 and r1 == 0", NO),
    ("SB+mb+po", ["x = 1; mb; r0 = y", "y = 1; r1 = x"], "r0 == 0 and r1 == 0", TSO),
    ("SB+wmbs", ["x = 1; wmb; r0 = y", "y = 1; wmb; r1 = x"], "r0 == 0 and r1 == 0", TSO),
    ("SB+rmbs", ["x = 1; rmb; r0 = y", "y = 1; rmb; r1 = x"], "r0 == 0 and r1 == 0", TSO),
    ("SB+rel+acq", ["rel x 1; r0 = acq y", "rel y 1; r1 = acq x"], "r0 == 0 and r1 == 0", TSO),
    ("SB+stmbs", ["stmb x 1; r0 = y", "stmb y 1; r1 = x"], "r0 == 0 and r1 == 0", NO),
    ("SB+xchgs", ["xchg x 1; r0 = y", "xchg y 1; r1 = x"], "r0 == 0 and r1 == 0", NO),
    ("SB+xchg+po", ["xchg x 1; r0 = y", "y = 1; r1 = x"], "r0 == 0 and r1 == 0", TSO),
    ("SB+xchg-z", ["x = 1; xchg z 1; r0 = y", "y = 1; xchg w 1; r1 = x"],
     "r0 == 0 and r1 == 0", NO),
    ("SB+incs", ["inc x; r0 = y", "inc y; r1 = x"], "r0 == 0 and r1 == 0", NO),
    ("SB+incs-after", ["x = 1; inc z; r0 = y", "y = 1; inc w; r1 = x"], "r0 == 0 and r1 == 0", NO),
    ("SB+rfi", ["x = 1; r0 = x; r1 = y", "y = 1; r2 = y; r3 = x"],
     "r0 == 1 and r1 == 0 and r2 == 1 and r3 == 0", TSO),
    ("SB+rfi-other", ["x = 1; r0 = x; r1 = y", "y = 1; r2 = y; r3 = x"],
     "r0 == 0 or r2 == 0", NO),
    ("SB+two", ["x = 1; z = 1; r0 = y", "y = 1; r1 = z; r2 = x"],
     "r0 == 0 and r1 == 1 and r2 == 0", NO),
    ("3.SB", ["x = 1; r0 = y", "y = 1; r1 = z", "z = 1; r2 = x"],
     "r0 == 0 and r1 == 0 and r2 == 0", TSO),
    ("3.SB+mbs", ["x = 1; mb; r0 = y", "y = 1; mb; r1 = z", "z = 1; mb; r2 = x"],
     "r0 == 0 and r1 == 0 and r2 == 0", NO),
    ("MP", ["x = 1; y = 1", "r0 = y; r1 = x"], "r0 == 1 and r1 == 0", NO),
    ("MP+wmb+rmb", ["x = 1; wmb; y = 1", "r0 = y; rmb; r1 = x"], "r0 == 1 and r1 == 0", NO),
    ("MP+rel+acq", ["x = 1; rel y 1", "r0 = acq y; r1 = x"], "r0 == 1 and r1 == 0", NO),
    ("MP+seen", ["x = 1; y = 1", "r0 = y; r1 = x"], "r0 == 1 and r1 == 1", SC),
    ("MP+early", ["x = 1; y = 1", "r0 = y; r1 = x"], "r0 == 0 and r1 == 1", SC),
    ("LB", ["r0 = y; x = 1", "r1 = x; y = 1"], "r0 == 1 and r1 == 1", NO),
    ("LB+mbs", ["r0 = y; mb; x = 1", "r1 = x; mb; y = 1"], "r0 == 1 and r1 == 1", NO),
    ("S", ["x = 2; y = 1", "r0 = y; x = 1"], "r0 == 1 and x == 2", NO),
    ("R", ["x = 1; y = 1", "y = 2; r0 = x"], "y == 2 and r0 == 0", TSO),
    ("R+mbs", ["x = 1; mb; y = 1", "y = 2; mb; r0 = x"], "y == 2 and r0 == 0", NO),
    ("R+po+mb", ["x = 1; y = 1", "y = 2; mb; r0 = x"], "y == 2 and r0 == 0", NO),
    ("R+mb+po", ["x = 1; mb; y = 1", "y = 2; r0 = x"], "y == 2 and r0 == 0", TSO),
    ("R+xchg", ["x = 1; y = 1", "xchg y 2; r0 = x"], "y == 2 and r0 == 0", NO),
    ("2+2W", ["x = 1; y = 2", "y = 1; x = 2"], "x == 1 and y == 1", NO),
    ("2+2W+wmbs", ["x = 1; wmb; y = 2", "y = 1; wmb; x = 2"], "x == 1 and y == 1", NO),
    ("WRC", ["x = 1", "r0 = x; y = 1", "r1 = y; r2 = x"],
     "r0 == 1 and r1 == 1 and r2 == 0", NO),
    ("RWC", ["x = 1", "r0 = x; r1 = y", "y = 1; r2 = x"],
     "r0 == 1 and r1 == 0 and r2 == 0", TSO),
    ("RWC+mb", ["x = 1", "r0 = x; r1 = y", "y = 1; mb; r2 = x"],
     "r0 == 1 and r1 == 0 and r2 == 0", NO),
    ("WWC", ["x = 2", "r0 = x; y = 1", "r1 = y; x = 1"], "r0 == 2 and r1 == 1 and x == 2", NO),
    ("Z6.3", ["x = 1; y = 1", "y = 2; z = 1", "r0 = z; r1 = x"],
     "y == 2 and r0 == 1 and r1 == 0", NO),
    ("Z6.0", ["x = 1; y = 1", "r0 = y; z = 1", "z = 2; r1 = x"],
     "r0 == 1 and z == 2 and r1 == 0", TSO),
    ("Z6.0+mb", ["x = 1; y = 1", "r0 = y; z = 1", "z = 2; mb; r1 = x"],
     "r0 == 1 and z == 2 and r1 == 0", NO),
    ("ISA2", ["x = 1; y = 1", "r0 = y; z = 1", "r1 = z; r2 = x"],
     "r0 == 1 and r1 == 1 and r2 == 0", NO),
    ("IRIW", ["x = 1", "y = 1", "r0 = x; r1 = y", "r2 = y; r3 = x"],
     "r0 == 1 and r1 == 0 and r2 == 1 and r3 == 0", NO),
    ("CoRR", ["x = 1", "r0 = x; r1 = x"], "r0 == 1 and r1 == 0", NO),
    ("CoRR2", ["x = 1", "x = 2", "r0 = x; r1 = x", "r2 = x; r3 = x"],
     "r0 == 1 and r1 == 2 and r2 == 2 and r3 == 1", NO),
    ("CoWR", ["x = 1; r0 = x", "x = 2"], "r0 == 2 and x == 1", NO),
    ("CoRW", ["r0 = x; x = 1", "x = 2"], "r0 == 1", NO),
    ("CoRW2", ["r0 = x; x = 1", "x = 2"], "r0 == 2 and x == 2", NO),
    ("CoWW", ["x = 1; x = 2", "r0 = x"], "x == 1", NO),
    ("n5", ["x = 1; r0 = x", "x = 2; r1 = x"], "r0 == 2 and r1 == 1", NO),
    ("n6", ["x = 1; r0 = x; r1 = y", "y = 1; x = 2"], "x == 1 and r0 == 1 and r1 == 0", TSO),
    ("n4", ["r0 = x; x = 1", "r1 = x; x = 2"], "r0 == 2 and r1 == 1", NO),
    ("n7", ["x = 1; r0 = x; r1 = y", "y = 1", "r2 = y; r3 = x"],
     "r0 == 1 and r1 == 0 and r2 == 1 and r3 == 0", TSO),
    ("xchg-atomic", ["r0 = xchg x 1", "r1 = xchg x 2"], "r0 == 0 and r1 == 0", NO),
    ("xchg-MP", ["x = 1; xchg y 1", "r0 = y; r1 = x"], "r0 == 1 and r1 == 0", NO),
    ("inc-lost", ["inc x", "inc x"], "x != 2", NO),
    ("Dekker+mb-late", ["x = 1; r0 = y; mb", "y = 1; r1 = x; mb"], "r0 == 0 and r1 == 0", TSO),
]  # fmt: skip
# Allowed by Linux's memory model (LKMM): herd7 7.56.3 with Linux 6.1's linux-kernel.cfg.
LKMM = {
    "SB", "SB+mb+po", "SB+wmbs", "SB+rmbs", "SB+rel+acq", "SB+xchg+po", "SB+incs", "SB+incs-after",
    "SB+rfi", "SB+two", "3.SB", "MP", "MP+seen", "MP+early", "LB", "S", "R", "R+po+mb", "R+mb+po",
    "R+xchg", "2+2W", "2+2W+wmbs", "WRC", "RWC", "RWC+mb", "WWC", "Z6.3", "Z6.0", "Z6.0+mb", "ISA2",
    "IRIW", "n6", "n7", "xchg-MP", "Dekker+mb-late",
}  # fmt: skip
# Of those, what --memory weak does not show: atomic_inc() orders nothing in the LKMM, a load may be
# done after a later store there, and a store may be seen by one CPU before it is by another.
UNSEEN = {"SB+incs", "SB+incs-after", "LB", "WWC", "2+2W+wmbs"}
HEAD = """
x: upto[2]
y: upto[2]
z: upto[2]
w: upto[2]
r0: upto[2]
r1: upto[2]
r2: upto[2]
r3: upto[2]

"""


def statement(text: str) -> list[str]:
    """A statement of a row as kernel Python; what a load gives stands in a local."""
    target, _, rest = text.rpartition("=")
    words = (rest if target.strip().startswith("r") else text).replace("=", " ").split()
    to = f"{target.strip()}_ = " if target.strip().startswith("r") else ""
    if words[0] in ("mb", "rmb", "wmb"):
        return [f"smp_{words[0]}()"]
    if words[0] == "inc":
        return [f"atomic_inc({words[1]})"]
    if words[0] == "xchg":
        return [f"{to}xchg({words[1]}, {words[2]})"]
    if words[0] in ("rel", "stmb"):
        call = {"rel": "smp_store_release", "stmb": "smp_store_mb"}[words[0]]
        return [f"{call}({words[1]}, {words[2]})"]
    if to:
        call = "smp_load_acquire" if words[0] == "acq" else "READ_ONCE"
        return [f"{to}{call}({words[-1]})"]
    return [f"WRITE_ONCE({words[0]}, {words[1]})"]


def write(folder: Path, name: str, threads: list[str], exists: str) -> str:
    """Write the overlay of a test; the name of its design."""
    design = "litmus-" + name.replace("+", "-plus-").replace(".", "-").lower()
    out = HEAD
    for k, text in enumerate(threads):
        rows = [s.strip() for s in text.split(";")]
        # In the kernel, which is not preemptible here: it keeps its CPU.
        body = ["current.in_user_mode = False"]
        body += [line for s in rows for line in statement(s)]
        loads = [s.partition("=")[0].strip() for s in rows if s.startswith("r") and "=" in s]
        body += [f"{r} = {r}_" for r in loads] + ["await_until(False)"]
        out += f"\n\n@task\ndef p{k}():\n    " + "\n    ".join(body) + "\n"
    out += (
        '\n\n@property_(source="ours")\n@stuck\ndef EXISTS() -> bool:\n    """No run ends so."""\n'
    )
    out += f"    return not ({exists})\n"
    home = folder / "design" / design
    home.mkdir(parents=True)
    (home / "overlay.py").write_text(f'OVERLAY = Overlay(name="{design}", parent="D")\n')
    (home / "threads.py").write_text(mark(out, design))
    return design


def mark(text: str, design: str) -> str:
    """``text`` with the comments that overlays have above their functions."""
    text = text.replace("@task", f"# [New in design:{design}]\n@task")
    return text.replace("@property_", f"# [New in design:{design}]\n@property_")


def scenario_of(design: str, cpus: int) -> dict[str, object]:
    """A test's scenario: each thread on a CPU of its own, and nothing else."""
    return {
        "title": design,
        "cpus": cpus,
        "vms": [0],
        "task": [{"runs": f"p{k}", "cpus": [k]} for k in range(cpus)],
        "set": {"timer_irqs": 0, "device_irq_cpus": 0, "preempt_model": 0},
    }


def allows(folder: Path, design: str, cpus: int, memory: str, **how: object) -> bool:
    """Whether some run of a test ends as its row asks."""
    arch = "arm64" if memory == "weak" else "svm"
    choice = Choice(arch, design, search=(folder,), memory=memory)
    scenario = make_scenario("litmus", scenario_of(design, cpus))
    found = check(choice, scenario, properties=["EXISTS"], **how)  # type: ignore[arg-type]
    none = "not decided" if memory == "weak" else "holds"
    assert found.verdict in (none, "violated") and not found.stopped_by, found
    return found.verdict == "violated"


def expected(row: tuple[str, list[str], str, str]) -> list[bool]:
    """Whether sc, tso and weak show what a row asks about, and whether the LKMM allows it.

    What sc shows, weak leaves to it.
    """
    name, _, _, strongest = row
    seen = name in LKMM - UNSEEN and strongest != SC
    return [strongest == SC, strongest != NO, seen, name in LKMM]


def main() -> None:
    """Print the table."""
    print("test            sc      tso     weak    LKMM    outcome")
    wrong = 0
    with tempfile.TemporaryDirectory() as tmp:
        designs = [write(Path(tmp), name, threads, exists) for name, threads, exists, _ in TESTS]
        for design, row in zip(designs, TESTS, strict=True):
            name, threads, exists, _ = row
            *found, lkmm = expected(row)
            seen = [allows(Path(tmp), design, len(threads), m) for m in ("sc", "tso", "weak")]
            words = ["allowed" if a else "-" for a in (*seen, lkmm)]
            words[2] = "as sc" if seen[0] else words[2]
            told = " ".join(f"{word:7s}" for word in words)
            print(f"{name:15s} {told} {exists}"[:72].rstrip())
            wrong += seen != found
    print(f"\n{len(TESTS)} tests, {wrong} not as expected")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
