"""The thread that led to scheduled_out, in ten cells: run it whole, or cell by cell in a notebook.

Editors and Jupyter (with jupytext) take ``# %%`` for the beginning of a cell.
"""

# %% One program: which architecture, on which machine
import loadput

one = loadput.load_scenario("one")
held = loadput.check(loadput.Choice("svm"), one)
print(held)

# %% What was asked of it
asked = {p.name: p.sentence for p in held.machine.program.properties if not p.applies}
print(len(asked), "properties:", ", ".join(sorted(asked)[:3]), "…")

# %% Its rows, for a table of your own
print(*held.rows()[:3], sep="\n")

# %% Four designs for telling arch code that the scheduler brought a vCPU back
for design in "ABCD":
    print(design, loadput.check(loadput.Choice("riscv", design), one).verdict)

# %% What D adds is asked at each load: is scheduled_out true exactly there?
print(asked["SOUT-AT-LOAD"])

# %% The idea for AMD: skip the save when this task saved there last
skip = loadput.check(loadput.Choice("svm", "skip-iii"), one, properties=["HOST-AREA-FRESH"])
print(skip.verdict, "after", skip.find("HOST-AREA-FRESH").depth, "steps")

# %% Where it goes wrong: the last step, and what it read
last = skip.find("HOST-AREA-FRESH").counterexample[-1]
print(last.context, last.function, dict(last.findings[0].read))

# %% Who made the value stale, and when
from loadput.explore.space import Space  # noqa: E402
from loadput.explore.truth import Oracle  # noqa: E402

space = Space(skip.machine)
path = space.indices(skip.find("HOST-AREA-FRESH").path)
oracle = Oracle(space)
truth = [oracle.ask("HOST-AREA-FRESH", s) for s in space.follow(path)]
print("".join("+-"[not t[0].asked.holds] if t else " " for t in truth))

# %% From any state: what could come next, and what could not
from loadput.explore.why import blocked  # noqa: E402

s = space.follow(path)[26]
print([m.told.function for m in space.moves(s)], "not:", blocked(space, s)[1].why)

# %% And the rule that holds, on one CPU as on two
for case in ("one", "examples/migrate.toml"):
    r = loadput.check(loadput.Choice("svm", "skip-v"), loadput.load_scenario(case))
    print(case, r.verdict, r.states, "states")
