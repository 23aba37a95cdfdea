"""The server: what it answers, to whom, and that nonsense does it no harm."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from loadput.explore.schedule import program_key, render_schedule
from loadput.explore.space import Space
from loadput.explore.subject import Subject
from loadput.explore.view import Viewer

from .conftest import AREA


def get(served: str, path: str, **headers: str) -> tuple[int, str, Any]:
    at = urlsplit(served)
    link = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
    link.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        link.putheader(name, value)
    link.endheaders()
    r = link.getresponse()
    text = r.read().decode()
    link.close()
    return r.status, text, r.headers


def token(served: str) -> str:
    return urlsplit(served).path


def test_it_gives_the_page_with_a_policy_that_fetches_nothing(served: str) -> None:
    status, text, headers = get(served, token(served))
    assert status == 200 and text.startswith("<!doctype html>")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_it_is_on_this_machine_alone(served: str) -> None:
    assert urlsplit(served).hostname == "127.0.0.1"
    assert len(token(served)) > 14


@pytest.mark.parametrize("path", ["/", "/x/", "//", "/%00/", "/../etc/passwd", "/é/view?s=1"])
def test_without_the_token_there_is_nothing(served: str, path: str) -> None:
    assert get(served, quote(path, safe="/%?="))[0] == 404


def test_another_host_or_origin_gets_nothing(served: str) -> None:
    path = token(served)
    assert get(served, path, Host="evil.example")[0] == 400
    assert get(served, path + "runs", Origin="http://evil.example")[0] == 404
    own = f"http://{urlsplit(served).netloc}"
    assert get(served, path + "runs", Origin=own)[0] == 200


def test_a_step_is_answered_with_the_state_after_it(served: str, subject: Subject) -> None:
    s = render_schedule(subject.space.m, [0])
    told = json.loads(get(served, f"{token(served)}view?s={s}&from=1")[1])
    after = subject.space.follow([0])[1]
    assert told["views"] == [json.loads(json.dumps(Viewer(subject.space).view(after)))]


def test_a_schedule_is_followed_as_far_as_it_goes(served: str, subject: Subject) -> None:
    s = render_schedule(subject.space.m, [0, 61, 0])
    assert len(json.loads(get(served, f"{token(served)}view?s={s}")[1])["views"]) == 2


@pytest.mark.parametrize(
    "question",
    [
        *(
            "view",
            "view?s=",
            "view?s=abcd.0",
            "view?s=%ff%fe",
            "view?from=-1",
            "until",
            "until?s=x",
        ),
        *("until?kind=call&name=%00", "witness?p=", "witness?p=%3Cscript%3E", "walk?seed=1e9"),
        *("beside?s=" + "0" * 4000, "walk?s=.....", "view?s=KEY.0!"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(served: str, subject: Subject, question: str) -> None:
    key = program_key(subject.space.m)
    status, text, _ = get(served, token(served) + question.replace("KEY", key))
    assert status == 400
    assert json.loads(text)["error"]
    assert "Traceback" not in text


@pytest.mark.parametrize("question", ["", "..", "tell", "steps", "__class__", "locks", "view/x"])
def test_what_is_no_question_is_not_answered(served: str, question: str) -> None:
    status = get(served, token(served) + question)[0]
    assert status == (200 if not question else 404)


def test_numbers_that_are_none_are_the_usual_ones(served: str, subject: Subject) -> None:
    s = render_schedule(subject.space.m, [])
    for words in ("from=x", "from=-3", f"from={'9' * 30}", "from=%D9%A3"):
        status, text, _ = get(served, f"{token(served)}view?s={s}&{words}")
        assert (status, len(json.loads(text)["views"])) in ((200, 1), (200, 0))


def test_a_step_on_two_cpus_is_made_of_few_states(two: Space) -> None:
    # What a step costs is what its view looks at: the states after each move, and no more.
    viewer = Viewer(two)
    s = two.follow(two.walk(two.initial, seed=5, steps=30))[-1]
    viewer.view(s)
    asked = 0
    steps = two.interp.steps

    def counted(state: Any) -> Any:
        nonlocal asked
        asked += 1
        return steps(state)

    two.interp.steps = counted  # type: ignore[method-assign]
    try:
        viewer.view(next(m.state for m in two.moves(s) if m.state not in (None, s)))  # type: ignore[arg-type]
    finally:
        del two.interp.steps
    assert asked < 40


def test_the_check_s_findings_come_when_it_has_them(served: str) -> None:
    told = json.loads(get(served, token(served) + "runs")[1])
    assert (told["done"], told["verdict"]) == (True, "violated")
    assert [r["property"] for r in told["runs"]] == [AREA]
