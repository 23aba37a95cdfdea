"""Check one design on two architectures, and look at the answer."""

import loadput

scenario = loadput.load_scenario("one")
for arch in ("svm", "riscv"):
    result = loadput.check(loadput.Choice(arch, design="C"), scenario)
    print(arch, result.verdict, result.states, "states")

result = loadput.check(loadput.Choice("svm", design="skip-iii"), scenario)
found = result.find("HOST-AREA-FRESH")
last = found.counterexample[-1]
print(found.name, found.verdict, "after", found.depth, "steps, in", last.function)
