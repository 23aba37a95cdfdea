"""Constants that a patch brings, and in the same breath uses: they are what they are worth.

The C is in our own words: shorter than the kernel's, in its order.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_same_and_not import CALL, START, C, judge, tree

__all__ = ["tree"]


@pytest.mark.parametrize(("value", "code"), [("0", 1), ("1", 0)])
def test_a_number_that_a_patch_gives_a_name_is_that_number(
    tree: Path, value: str, code: int
) -> None:
    save = "	vmsave(sd->save_area_pa);\n"
    brings = (START, f"#define KEEPS_HOST {value}\n\n{START}")
    j = judge(tree, brings, (save, f"	if (KEEPS_HOST)\n	{save}"))
    assert j.exit_code == code


BRINGS = {  # what is brought, what the helper is given, what it asks for; whether it is asked
    "an enumerator": (
        "enum ways {\n	WAY_NONE,\n	WAY_KEEP, /* it is */\n};",
        "WAY_KEEP",
        "way == 1",
        1,
    ),
    "another": ("enum ways { WAY_NONE = 3, WAY_KEEP };", "WAY_KEEP", "way == WAY_NONE", 0),
    "a bit": ("#define WAY_KEEP BIT(1)", "WAY_KEEP", "way & 2", 1),
    "another bit": ("#define WAY_A BIT(0)\n#define WAY_B (1UL << 1)", "WAY_A", "way & WAY_B", 0),
    "both": ("#define A 0x10\n#define B 0x1u\n#define AB (A | B)", "AB", "way == 17", 1),
}


@pytest.mark.parametrize("what", BRINGS)
def test_what_a_patch_brings_as_a_constant_is_that_number(tree: Path, what: str) -> None:
    text, given, asks, is_kept = BRINGS[what]
    save = "	vmsave(sd->save_area_pa);\n"
    changes = (
        (START, f"{text}\n\n{START}"),
        (CALL, f"	keep_host(sd, svm, {given});\n"),
        (save, f"	if ({asks})\n	{save}"),
    )
    j = judge(tree, *changes)
    assert j.verdict == ("no property minds" if is_kept else "violated")


def test_an_enumerator_that_moves_is_not_brought(tree: Path) -> None:
    """What it is worth, who has it, is not for the patch to say."""
    enum = "enum ways { WAY_NONE, WAY_KEEP };\n\n"
    text = enum + C
    save = "	vmsave(sd->save_area_pa);\n"
    moved = ((enum, ""), (f"{save}	svm", f"	if (way == WAY_KEEP)\n	{save}	svm"))
    j = judge(
        tree,
        *moved,
        ("static void svm_prep", f"{enum}static void svm_prep"),
        text=text,
    )
    assert j.exit_code == 4


@pytest.mark.parametrize(
    "name",
    [
        "trace_keep_host",  # only traces
        "lockdep_keep_host",  # only asks
        "prefetch",
        "kvm_xfer_to_guest_mode_handle_work",  # v7.3's name of another
        "kvm_set_mp_state",  # the table says what it does
        "swap",  # a word of the language
    ],
)
def test_a_function_that_a_patch_brings_does_what_it_says_whatever_its_name(
    tree: Path, name: str
) -> None:
    save, head = "	vmsave(sd->save_area_pa);\n", "static void keep_host("
    does = f"static void {name}(struct svm_cpu_data *sd)\n{{\n{save}}}\n\n{head}"
    call = (save, f"	{name}(sd);\n")
    assert judge(tree, call, (head, does)).exit_code == 0
    assert judge(tree, call, (head, does.replace(save, ""))).verdict == "violated"
