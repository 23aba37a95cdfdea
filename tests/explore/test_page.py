"""The page in a real browser: the file that needs no server, and the one that is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadput.explore.offline import MOST_BYTES, render_file
from loadput.explore.subject import Subject

from .browser import Page, make_driver, needs_browser
from .conftest import REPLAY

pytestmark = needs_browser
AREA = "HOST-AREA-FRESH"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    driver = make_driver()
    yield Page(driver)
    driver.quit()


@pytest.fixture(scope="module")
def file(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> str:
    at = tmp_path_factory.mktemp("page") / "skip-iii.html"
    text = render_file(subject, most_states=400)
    assert len(text.encode()) < MOST_BYTES
    at.write_text(text, "utf-8")
    return at.as_uri()


@pytest.fixture(params=["file", "served"])
def either(request: pytest.FixtureRequest, page: Page) -> Page:
    page.open(request.getfixturevalue(request.param))
    return page


def test_it_opens_where_the_property_fails_and_says_why(either: Page) -> None:
    assert either.text("h1") == f"{AREA} is violated after 39 steps"
    assert either.where == "step 39 of 39"
    why = " ".join(either.text("#why").split())
    assert f"{AREA} fails in step 39 on CPU 0: T0 __svm_vcpu_run" in why
    assert "sd.save_area_pa.fs == this_cpu(hw_fs)" in why
    assert "vmcb_save_area.fs[c0] = T0's, stale, hw_fs[c0] = T0's, current" in why
    assert "It would have held until step 18; from step 19 on it is wrong" in why
    assert "step 19 (T0 in user_mode_work) made it stale: T0 has another value since" in why
    assert "design D on the same schedule: step 36 (vcpu_enter_guest) has set it" in why
    assert either.problems == []


def test_back_and_on_undo_and_redo(either: Page) -> None:
    either.press("left")
    either.press("left")
    assert either.where == "step 37 of 39"
    either.press("right")
    assert either.where == "step 38 of 39"
    assert "kvm_request_pending" in either.text(".step.cur")
    either.press("home")
    assert either.where == "step 0 of 39"
    assert either.texts(".val.changed") == []


def test_another_step_takes_the_place_of_those_that_were_ahead(either: Page) -> None:
    either.press("home")
    moves = either.texts(".move")
    assert moves[0].startswith("1\nidle0 __schedule") and len(moves) > 1
    either.press("1")
    assert either.where == "step 1 of 39"
    either.press("2")
    assert either.where == "step 2 of 2"


def test_what_is_not_possible_says_why(either: Page) -> None:
    either.press("home")
    said = " ".join(either.texts(".blocked"))
    assert "T0 in vcpu_thread(): waits for a CPU: __schedule() on c0 may pick it" in said
    either.js("document.querySelector('.step[data-k=\"26\"]').click()")
    either.until(lambda: either.where == "step 26 of 39")
    said = " ".join(either.texts(".blocked"))
    assert "timer_interrupt: interrupts are off in kvm_sched_out()" in said


def test_going_on_until_something_happens(either: Page) -> None:
    either.press("home")
    either.search("call", "kvm_sched_out")
    assert either.text("#say").startswith("5 steps on, the shortest way")
    assert either.where == "step 5 of 5"
    either.search("change", "preempted")
    assert either.where == "step 6 of 6"
    either.search("call", "no_such_function")
    assert "no function 'no_such_function'" in either.text("#say")


def test_the_address_says_the_whole_schedule(either: Page) -> None:
    either.press("home")
    either.press("1")
    either.press("2")
    address = either.js("return location.href")
    shown = either.text("#steps")
    either.open(address)
    assert (either.where, either.text("#steps")) == ("step 2 of 2", shown)


@pytest.mark.parametrize(
    "nonsense", ["s=", "s=abcd.0", "s=%00%ff", "s=x&at=-5", "at=9e9", "s=....&p=%3Cscript%3E"]
)
def test_nonsense_in_the_address_is_survived(either: Page, nonsense: str) -> None:
    base = str(either.js("return location.href")).partition("#")[0]
    either.open(f"{base}#{nonsense}")
    assert either.where.startswith("step ")
    assert either.problems == []


def test_two_programs_on_one_schedule_and_where_they_part(either: Page) -> None:
    assert "design D has vmcb_save_area.fs[c0] = T0" in either.text('.step[data-k="36"]')
    assert "design D: T0" in either.text('.val[data-v="vmcb_save_area.fs[c0]"]')


def test_as_a_mail_it_has_72_columns_and_the_command(either: Page) -> None:
    either.js("document.getElementById('mail').click()")
    rows = either.text("#text").split("\n")
    assert max(map(len, rows)) <= 72
    assert f"     !! {AREA}" in rows
    assert " ".join(" ".join(rows[-3:]).split()).endswith("3" + "0" * 14)
    assert REPLAY in " ".join(" ".join(rows).split())
    either.js("document.getElementById('box').close()")


def test_only_what_matters_is_a_short_list(either: Page) -> None:
    either.press("f")
    kept = [t.split("\n")[0] for t in either.texts(".step[data-k]")]
    assert kept == ["0", "1", "9", "19", "28", "29", "36", "39"]
    either.press("f")


def test_a_random_walk_goes_on_from_here(either: Page) -> None:
    either.press("home")
    either.press("r")
    assert either.where.startswith("step ") and either.where != "step 0 of 39"


def test_a_holding_property_has_a_witness(page: Page, served: str) -> None:
    page.open(served)
    rows = page.texts(".prow")
    at = next(i for i, t in enumerate(rows) if t.startswith("SOUT-AT-PUT"))
    page.acts(lambda: page.js(f"document.querySelectorAll('.prow')[{at}].click()"))
    page.press("home")
    page.js("document.getElementById('witness').click()")
    page.until(lambda: "at stake" in page.text("#say"))
    assert page.where == "step 5 of 5"
    assert "asked in this step, and holds" in page.text("#why")


def test_it_fits_a_laptop_and_has_two_colours(page: Page, file: str) -> None:
    page.open(file + "?theme=light")
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    assert page.js("return document.documentElement.scrollHeight <= innerHeight")
    light = page.js("return getComputedStyle(document.body).backgroundColor")
    page.open(file + "?theme=dark")
    assert page.js("return getComputedStyle(document.body).backgroundColor") != light


def test_nothing_is_fetched(page: Page, file: str) -> None:
    page.open(file)
    assert page.js("return performance.getEntriesByType('resource').map((e) => e.name)") == []
    text = Path(file.removeprefix("file://")).read_text("utf-8")
    assert "http://" not in text and "https://" not in text
