"""The page served on 127.0.0.1: a random port, a random token, no other origin."""

from __future__ import annotations

import contextlib
import gc
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ..base.errors import LoadputError
from .page import render_page
from .schedule import parse_schedule
from .search import find_witness, go_until
from .space import Space
from .subject import Subject
from .truth import Oracle
from .view import views_along

HOST = "127.0.0.1"
LONGEST_WALK = 500
MOST_STATES = 20_000
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Answers:
    """What the page asks; each answer is a dict for JSON.

    :param is_done: whether the check that runs beside has come to its end
    """

    def __init__(self, subject: Subject, is_done: Callable[[], bool]) -> None:
        self.subject, self.is_done = subject, is_done
        # Searches take long: they have their own, so that a step does not wait for them.
        self.search = Space(subject.space.m)
        self.oracle = Oracle(self.search)
        self.locks = {name: threading.Lock() for name in ("see", "search")}

    def tell(self, name: str, args: dict[str, str]) -> dict[str, Any]:
        """The answer to question ``name``; raises LoadputError for what makes no sense."""
        with self.locks["search" if name in SEARCHES else "see"]:
            told: dict[str, Any] = getattr(self, name)(args)
            return told

    def steps(self, args: dict[str, str]) -> list[int]:
        return parse_schedule(self.subject.space.m, args.get("s", ""))

    def view(self, args: dict[str, str]) -> dict[str, Any]:
        """The states along a schedule, from number ``from`` on, as far as it can be followed."""
        start = _number(args, "from", 0, 100_000)
        return {"views": views_along(self.subject.viewer, self.steps(args), start)}

    def until(self, args: dict[str, str]) -> dict[str, Any]:
        """A search from the end of a schedule."""
        space = self.search
        s = space.follow(self.steps(args))[-1]
        kind, name = args.get("kind", ""), args.get("name", "")
        found = go_until(space, s, kind, name, most=MOST_STATES)
        steps = None if found.steps is None else list(found.steps)
        return {"steps": steps, "states": found.states, "whole": found.whole}

    def walk(self, args: dict[str, str]) -> dict[str, Any]:
        """Random steps from the end of a schedule."""
        space = self.search
        s = space.follow(self.steps(args))[-1]
        seed = _number(args, "seed", 1, 1 << 31)
        return {"steps": space.walk(s, seed=seed, steps=_number(args, "steps", 20, LONGEST_WALK))}

    def witness(self, args: dict[str, str]) -> dict[str, Any]:
        """The shortest run in which a property that holds is at stake."""
        found = find_witness(self.search, self.oracle, args.get("p", ""), most=MOST_STATES)
        steps = None if found.steps is None else list(found.steps)
        return {"steps": steps, "states": found.states, "degree": found.degree}

    def beside(self, args: dict[str, str]) -> dict[str, Any]:
        """What the other program does on a schedule."""
        return {"pairs": self.subject.pairs(self.steps(args))}

    def runs(self, args: dict[str, str]) -> dict[str, Any]:
        """What the check has found by now."""
        done = self.is_done()
        return {
            "runs": self.subject.told_runs(),
            "verdict": self.subject.verdict,
            "done": done,
        }


SEARCHES = ("until", "walk", "witness")
QUESTIONS = (*SEARCHES, "view", "beside", "runs")


def _number(args: dict[str, str], key: str, default: int, most: int) -> int:
    text = args.get(key, "")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 12 else default


def make_app(subject: Subject, token: str, is_done: Callable[[], bool] = lambda: True) -> Starlette:
    """The application: the page under ``/TOKEN/`` and its questions below that; else nothing."""
    answers = Answers(subject, is_done)

    def page(request: Request) -> Response:
        if not _is_ours(request, token):
            return _nothing()
        with answers.locks["see"]:
            data = {"mode": "live", "meta": subject.meta(), "runs": subject.told_runs()}
        return HTMLResponse(render_page(data), headers=HEADERS)

    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if not _is_ours(request, token) or name not in QUESTIONS:
            return _nothing()
        try:
            told = answers.tell(name, dict(request.query_params))
        except LoadputError as e:
            return JSONResponse({"error": _told(e)}, 400, HEADERS)
        return JSONResponse(told, headers=HEADERS)

    routes = [Route("/{token}/", page), Route("/{token}/{name}", answer)]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST])
    return Starlette(routes=routes, middleware=[hosts])


def _told(e: LoadputError) -> str:
    near = f"; there is {e.available}" if e.available else ""
    return f"{e.what}{near}"


def _is_ours(request: Request, token: str) -> bool:
    """Whether the token is right, and no page of another origin asks."""
    given = request.path_params["token"]
    if not secrets.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        return False
    origin = request.headers.get("origin")
    return origin in (None, f"http://{request.headers.get('host')}")


def _nothing() -> Response:
    return PlainTextResponse("nothing here\n", 404, HEADERS)


def serve(
    subject: Subject,
    tell: Callable[[str], None],
    *,
    is_done: Callable[[], bool] = lambda: True,
) -> None:
    """Serve until it is interrupted; ``tell`` gets the address once it can be opened."""
    import uvicorn

    subject.viewer.oracle.warm()
    # The machines stay: counting their objects again and again finds no garbage.
    gc.freeze()
    token = secrets.token_urlsafe(12)
    with contextlib.closing(socket.create_server((HOST, 0))) as listening:
        app = make_app(subject, token, is_done)
        config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
        tell(f"http://{HOST}:{listening.getsockname()[1]}/{token}/")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
