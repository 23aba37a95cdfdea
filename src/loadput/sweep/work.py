"""One job done: the same wherever it runs."""

from __future__ import annotations

import pickle
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..base import clock
from ..base.errors import LoadputError, TimeUp
from ..base.kept import Shelf, checker_digest, digest, spec_digest
from ..check.bounds import bounded
from ..check.kept import RESULTS, Kept
from ..check.verdict import UNDECIDED, VIOLATED, Result, check
from ..run.exploration import Limits
from .plan import Job

NO_VERDICT, FAILED = "no verdict", "failed"
REFUSED = "refused"
Row = dict[str, Any]
_turn = threading.Lock()


def version() -> str:
    """What a worker must be: this text of the checker and of the specification."""
    return digest(checker_digest(), spec_digest())


def pack(job: Job, *, carry: bool, keep: bool) -> tuple[str, bytes, bool]:
    """A job as it is sent: the version that it is for, itself, whether to keep what it finds.

    :param carry: with the content of its recording, for another machine
    """
    if carry and isinstance(job.recording, str) and job.recording:
        job = replace(job, recording=Path(job.recording).read_bytes())
    return version(), pickle.dumps(job), keep


def run_packed(packed: tuple[str, bytes, bool]) -> Row:
    """The row of a job: verdict, what is violated, counts, ``seconds`` of its own.

    One of another version is ``refused`` before it is unpacked. Whatever goes wrong is a row too.
    """
    wanted, data, keep = packed
    if wanted != version():
        return {"verdict": REFUSED}
    job: Job = pickle.loads(data)
    with _turn:  # the clock is the process's
        begin = time.perf_counter()
        clock.end_in(job.bounds.max_time)
        try:
            row = _run(job, keep)
        except TimeUp:
            row = empty(UNDECIDED, "time")
        except MemoryError:
            row = empty(UNDECIDED, "memory")
        except LoadputError as e:
            row = empty(FAILED if e.exit_code == 3 else NO_VERDICT, f"{e.code} {e.what}")
        except Exception as e:  # it is told, never lost
            row = empty(FAILED, repr(e))
        finally:
            clock.end_in(None)
        return {**row, "seconds": round(time.perf_counter() - begin, 3)}


def empty(verdict: str, why: str) -> Row:
    """The row of a job that came to nothing else."""
    return {"verdict": verdict, "why": why, "violated": [], "states": 0, "counts": {}}


def _run(job: Job, keep: bool) -> Row:
    if job.verb == "check":
        with tempfile.TemporaryDirectory(prefix="loadput-sweep-") as at:
            return _check(job, keep, Path(at))
    if isinstance(job.recording, bytes):
        with tempfile.NamedTemporaryFile(prefix="loadput-sweep-") as file:
            file.write(job.recording)
            file.flush()
            return _recording(job.verb, file.name)
    return _recording(job.verb, job.recording)


def _check(job: Job, keep: bool, at: Path) -> Row:
    for n, path, data in job.overlays:
        file = at / str(n) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    choice = replace(job.choice, search=tuple(at / str(n) for n in range(len(job.choice.search))))
    b = job.bounds
    memory = b.max_memory << 20 if b.max_memory else None
    limits = Limits(b.max_states, memory, b.max_time, threads=1)
    kept = Kept(Shelf(RESULTS)) if keep else None
    assert job.scenario is not None
    if not job.patches:
        return _of(check(choice, job.scenario, limits=limits, kept=kept))
    from ..check.judging import judge_patches

    done = judge_patches(
        job.patches, [choice.arch], job.scenario, choice=choice, named=choice.release,
        decide=lambda c, s, how, most: check(
            c, s, opaque=how, limits=bounded(limits, most), kept=kept
        ),
    )  # fmt: skip
    worst = next((j for j in done.judged if j.verdict == done.verdict and j.result), None)
    row = _of(worst.result) if worst and worst.result else empty("", "")
    failed = "; ".join(f"{e.code} {e.what}" for _, _, e in done.failed)
    return {**row, "verdict": NO_VERDICT if failed else done.verdict, "why": failed or row["why"]}


def _of(r: Result) -> Row:
    bad = [p for p in r.properties if p.verdict == VIOLATED]
    return {
        "verdict": r.verdict,
        "why": r.stopped_by,
        "violated": [
            {"property": p.name, "depth": p.depth, "blame": p.blame}
            for p in sorted(bad, key=lambda p: (p.depth or 0, p.name))
        ],
        "states": r.states,
        "counts": {"transitions": r.transitions, "depth": r.depth},
    }


def _recording(verb: str, path: str) -> Row:
    from ..trace import read_trace

    trace = read_trace(path)
    if verb == "trace":
        from ..trace.account import account_trace

        total = account_trace(trace).total
        counts = {"loads": sum(total.loads.values()), "puts": sum(total.outs.values())}
        return {**empty("read", ""), "counts": counts | {"migrations": total.migrations}}
    from ..conform import conform_trace

    done = conform_trace(trace)
    counts = {"probes": done.probe_count, "vcpus": done.vcpu_count}
    return {**empty(done.verdict, f"{done.release} on {done.arch}"), "counts": counts}
