"""The timeline page and the Perfetto file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from loadput.trace import read_trace
from loadput.trace.account import account_trace
from loadput.trace.lanes import GUEST, LOADED, build_lanes
from loadput.trace.perfetto import varint, write_perfetto
from loadput.trace.timeline import write_html, write_sequence

NAME = "x86-6.12-ioctl.dat"


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """A protobuf message as (field number, value) pairs."""
    out: list[tuple[int, int | bytes]] = []
    pos = 0

    def number() -> int:
        nonlocal pos
        value = shift = 0
        while True:
            byte = data[pos]
            pos += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while pos < len(data):
        key = number()
        if key & 7 == 2:
            size = number()
            out.append((key >> 3, data[pos : pos + size]))
            pos += size
        else:
            assert key & 7 == 0
            out.append((key >> 3, number()))
    return out


def test_build_lanes_guest_lies_in_loaded(fixtures: Path) -> None:
    spans = build_lanes(read_trace(fixtures / NAME)).spans
    for vcpu in np.unique(spans.vcpu):
        mine = spans.vcpu == vcpu
        loaded, guest = mine & (spans.state == LOADED), mine & (spans.state == GUEST)
        at = np.searchsorted(spans.start[loaded], spans.start[guest], "right") - 1
        inside = at >= 0
        assert (spans.end[guest][inside] <= spans.end[loaded][at[inside]]).mean() > 0.98
    assert (spans.end > spans.start).all()


def test_write_html_is_one_offline_file_with_its_data(fixtures: Path, tmp_path: Path) -> None:
    trace = read_trace(fixtures / NAME)
    write_html(trace, account_trace(trace), tmp_path / "t.html")
    page = (tmp_path / "t.html").read_text()
    assert not re.search(r"(src|href)\s*=|https?://(?!www\.w3\.org/2000/svg)", page)
    data = json.loads(re.search(r"const DATA = (\{.*\});\n", page).group(1))  # type: ignore[union-attr]
    assert data["kind"] == "timeline" and len(data["vcpus"]) == 6
    assert data["vcpu_spans"]["first"][-1] == build_lanes(trace).spans.start.size


def test_write_html_escapes_names_that_close_the_script(tmp_path: Path) -> None:
    write_sequence("</script><b>", ["a"], [{"lane": 0, "text": "</script>"}], tmp_path / "s.html")
    assert (tmp_path / "s.html").read_text().count("</script>") == 1


def chromium(page: Path, query: str) -> str:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (Debian: chromium)")
    command = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,700",
        "--virtual-time-budget=4000", "--dump-dom", f"file://{page}?{query}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    return done.stdout


def test_page_draws_in_chromium(fixtures: Path, tmp_path: Path) -> None:
    trace = read_trace(fixtures / NAME)
    write_html(trace, account_trace(trace), tmp_path / "t.html")
    dom = chromium(tmp_path / "t.html", "bench&theme=dark")
    assert re.search(
        r"bench: 36 draws, median [\d.]+ ms, 90% within [\d.]+ ms, worst [\d.]+ ms, stretches \d+",
        dom,
    )
    assert 'class="dark"' in dom and "host state still there" in dom


def test_sequence_draws_in_chromium(tmp_path: Path) -> None:
    steps = [{"lane": 0, "text": "load v0"}, {"lane": 1, "to": 0, "text": "IPI", "bad": True}]
    write_sequence("a counterexample", ["cpu0", "cpu1"], steps, tmp_path / "s.html")
    dom = chromium(tmp_path / "s.html", "")
    assert "<svg" in dom and "load v0" in dom and "a counterexample" in dom


@pytest.mark.parametrize("value", [0, 1, 127, 128, 1 << 40, -1])
def test_varint_round_trip(value: int) -> None:
    assert fields(b"\x08" + varint(value)) == [(1, value & (1 << 64) - 1)]


def test_write_perfetto_packets(fixtures: Path, tmp_path: Path) -> None:
    trace = read_trace(fixtures / NAME)
    write_perfetto(trace, tmp_path / "t.pftrace")
    packets = [fields(body) for _, body in fields((tmp_path / "t.pftrace").read_bytes())]  # type: ignore[arg-type]
    kinds = Counter(p[0][0] if p[0][0] != 8 else p[1][0] for p in packets)
    assert kinds[60] == 2 + 6 + 6 * 3  # VMs, vCPUs, three flags each
    events = [dict(fields(p[1][1])) for p in packets if p[0][0] == 8]  # type: ignore[arg-type]
    begins = sum(e[9] == 1 for e in events)
    assert begins == sum(e[9] == 2 for e in events) > 500
    assert sum(e[9] == 4 for e in events) == 3 * trace.events()["sched_in"]
    switches = sum(
        len([f for f, _ in fields(event) if f == 4])  # type: ignore[arg-type]
        for p in packets if p[0][0] == 1
        for f, event in fields(p[0][1]) if f == 2  # type: ignore[arg-type]
    )  # fmt: skip
    assert switches == trace.events()["sched_switch"]


def test_write_perfetto_slices_nest(fixtures: Path, tmp_path: Path) -> None:
    write_perfetto(read_trace(fixtures / "x86-6.1.dat"), tmp_path / "t.pftrace")
    depth: Counter[int] = Counter()
    last: dict[int, int] = {}
    for _, body in fields((tmp_path / "t.pftrace").read_bytes()):
        packet = dict(fields(body))  # type: ignore[arg-type]
        if 11 in packet:
            event = dict(fields(packet[11]))  # type: ignore[arg-type]
            if event[9] in (1, 2):
                track = int(event[11])  # type: ignore[call-overload]
                assert packet[8] >= last.get(track, 0)  # type: ignore[operator]
                last[track] = packet[8]  # type: ignore[assignment]
                depth[track] += 1 if event[9] == 1 else -1
                assert depth[track] >= 0
    assert not +depth


def test_write_perfetto_decodes_with_perfettos_own_definitions(
    fixtures: Path, tmp_path: Path
) -> None:
    protos = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2")
    trace = read_trace(fixtures / NAME)
    write_perfetto(trace, tmp_path / "t.pftrace")
    decoded = protos.Trace()
    decoded.ParseFromString((tmp_path / "t.pftrace").read_bytes())
    kinds = Counter(p.WhichOneof("data") for p in decoded.packet)
    assert set(kinds) == {"system_info", "ftrace_events", "track_descriptor", "track_event"}
    system = next(p.system_info for p in decoded.packet if p.HasField("system_info"))
    assert system.utsname.release == "6.12.117+deb12-amd64"
    switches = Counter(e.WhichOneof("event") for p in decoded.packet for e in p.ftrace_events.event)
    assert switches["sched_switch"] == trace.events()["sched_switch"]
    assert switches["sched_waking"] == trace.events()["sched_waking"]
