"""A helper that the specification does not have, changed alone, is judged where it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

import loadput as lp

from .test_moved_code import SVM, C, diff, first

SAVE = "	vmsave(sd->save_area_pa);\n"
CALL = "	save_host(sd);\n"
HELPER = C[C.index("static void save_host") : C.index("static void svm_prepare")]
HEADER = "arch/x86/kvm/svm/save.h"
BETWEEN = """static void save_all(struct svm_cpu_data *sd)
{
	if (!sd)
		return;
	save_host(sd);
}

"""
SAME = ("changes nothing that is modelled", 0)
NEW = "NEW VIOLATION: HOST-AREA-FRESH (svm); HOST-RESTORED (svm)"


def judge(tmp_path: Path, files: dict[str, str], path: str, *changes: tuple[str, str]) -> lp.Judged:
    for name, text in files.items():
        at = tmp_path / "linux" / name
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
    text = diff(path, files[path], *changes)
    return lp.judge(text, tree=tmp_path / "linux", arch="svm", scenario="one", base="v6.12")


def test_in_the_file_of_what_calls_it(tmp_path: Path) -> None:
    j = judge(tmp_path, {SVM: C}, SVM, (SAVE, ""))
    assert first(j) == NEW
    (f,) = j.judging.judged[0].changes
    assert (f.name, f.through) == ("svm_prepare_switch_to_guest", ["save_host"])
    assert "  save_host() read in svm_prepare_switch_to_guest, the patch" in j.text()
    assert "-\tvmsave(sd->save_area_pa);" in f.hunk


def test_in_a_header_that_another_file_includes(tmp_path: Path) -> None:
    files = {SVM: C.replace(HELPER, ""), HEADER: HELPER.replace("static", "static inline")}
    assert first(judge(tmp_path, files, HEADER, (SAVE, ""))) == NEW


def test_what_it_does_otherwise_with_the_same_effect(tmp_path: Path) -> None:
    new = "	struct svm_cpu_data *area = sd;\n\n	vmsave(area->save_area_pa);\n"
    j = judge(tmp_path, {SVM: C}, SVM, (SAVE, new))
    assert (j.verdict, j.exit_code) == SAME
    said = " ".join(j.text().split())
    assert "save_host() read in svm_prepare_switch_to_guest: changes nothing" in said


def test_through_a_helper_that_does_not_change(tmp_path: Path) -> None:
    text = C.replace(CALL, CALL.replace("host", "all"))
    text = text.replace(HELPER, HELPER + BETWEEN)
    assert first(judge(tmp_path, {SVM: text}, SVM, (SAVE, ""))) == NEW


def test_one_that_cannot_be_read_where_it_is_called_is_not_judged(tmp_path: Path) -> None:
    out = "		if (!sd)\n			return;\n"
    loop = f"	for (;;) {{\n{out}		vmsave(sd->save_area_pa);\n	}}\n"
    text = C.replace(SAVE, loop).replace(
        "	svm->guest_state_loaded = true;\n", "	svm->x = 1;\n"
    )
    text = text.replace(CALL, f"{CALL}	svm->guest_state_loaded = true;\n")
    j = judge(tmp_path, {SVM: text}, SVM, (SAVE, "		vmsave(0);\n	"))
    assert (j.verdict, j.exit_code) == ("not judged", 4)


@pytest.mark.parametrize("calls", ["", "	other(sd);\n"])
def test_one_that_nothing_calls_is_not_judged(tmp_path: Path, calls: str) -> None:
    j = judge(tmp_path, {SVM: C.replace(CALL, calls)}, SVM, (SAVE, ""))
    assert (j.verdict, j.exit_code) == ("not judged", 4)
    assert "save_host()" in first(j)


def test_where_nothing_of_it_is_modelled_the_helper_is_what_is_not_judged(tmp_path: Path) -> None:
    text = C.replace(SAVE, SAVE + "	count_it(sd, 1);\n")
    j = judge(tmp_path, {SVM: text}, SVM, ("count_it(sd, 1)", "count_it(sd, 2)"))
    assert first(j) == "NOT JUDGED: the specification does not have save_host()"


def test_a_patch_on_what_the_one_before_it_brought(tmp_path: Path) -> None:
    at = tmp_path / "linux" / SVM
    at.parent.mkdir(parents=True)
    at.write_text(C)
    flag = "	svm->guest_state_loaded = true;\n"
    more = "	if (svm->guest_state_loaded) {\n		vmsave(sd->save_area_pa);\n	}\n" + flag
    less = more.replace("vmsave", "vmload")
    both = diff(SVM, C, (flag, more)) + diff(SVM, C.replace(flag, more), (more, less))
    j = lp.judge(both, tree=tmp_path / "linux", arch="svm", scenario="one", base="v6.12")
    assert j.exit_code in (0, 1, 4)
