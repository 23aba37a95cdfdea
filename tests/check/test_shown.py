"""A result shows itself: in the shell, in a notebook, as rows."""

from __future__ import annotations

from functools import cache

import loadput
from loadput.check.verdict import Result


@cache
def found(design: str) -> Result:
    r: Result = loadput.check(loadput.Choice("svm", design), loadput.load_scenario("one"))
    return r


def test_the_package_lists_its_public_names() -> None:
    assert set(dir(loadput)) == set(loadput.NAMES)


def test_a_result_says_what_it_is_of_and_what_it_found() -> None:
    assert repr(found("skip-iii")).startswith(
        "<v7.3 design skip-iii on svm, scenario one: violated"
    )
    assert "HOST-AREA-FRESH" in repr(found("skip-iii")) and "holds" in repr(found("D"))


def test_its_rows_are_the_properties_that_were_asked() -> None:
    rows = {row["name"]: row for row in found("skip-iii").rows()}
    assert rows["HOST-AREA-FRESH"]["verdict"] == "violated"
    assert rows["HOST-AREA-FRESH"]["depth"] == found("skip-iii").find("HOST-AREA-FRESH").depth
    assert not [row for row in rows.values() if row["verdict"] == "not applicable"]


def test_a_notebook_shows_what_does_not_hold() -> None:
    shown = found("skip-iii")._repr_html_()
    assert "<td>HOST-AREA-FRESH</td><td>violated</td>" in shown and "&lt;v7.3" in shown
    assert "violated" not in found("D")._repr_html_()
