"""The two engines write the same JSON, byte for byte, but for the seconds."""

from __future__ import annotations

import re

import pytest

from loadput.check.verdict import check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario
from loadput.report.json import encode, program_result


def written(choice: Choice, engine: str) -> bytes:
    data = encode(program_result(check(choice, load_scenario("one"), engine=engine)))
    return re.sub(rb'"seconds": ?[\d.e-]+', b"", data)


@pytest.mark.parametrize("twin", ["", "sout_set_after_put"])
@pytest.mark.parametrize(
    "arch", ["svm", "vmx", "arm64", "riscv", "loongarch", "mips", "powerpc", "s390"]
)
def test_interp_and_native_write_the_same(arch: str, twin: str) -> None:
    choice = Choice(arch, twin=twin)
    assert written(choice, "interp") == written(choice, "native")


def test_the_same_check_twice_writes_the_same() -> None:
    assert written(Choice("svm"), "native") == written(Choice("svm"), "native")
