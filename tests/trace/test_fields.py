"""Event formats as recordings carry them."""

from __future__ import annotations

import numpy as np
import pytest

from loadput.base.errors import TraceError
from loadput.trace.decode import gather_field
from loadput.trace.fields import EventFormat, parse_event_format

TEXT = """name: demo
ID: 42
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:char comm[8];\toffset:8;\tsize:8;\tsigned:0;
\tfield:s32 small;\toffset:16;\tsize:4;\tsigned:1;
\tfield:u64 big;\toffset:21;\tsize:8;\tsigned:0;
\tfield:unsigned long caller[2];\toffset:29;\tsize:16;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:45;\tsize:4;\tsigned:0;
\tfield:__rel_loc unsigned short[] more;\toffset:49;\tsize:4;\tsigned:0;

print fmt: "%d", REC->small
"""


def record() -> np.ndarray:
    fixed = bytearray(53)
    fixed[8:16] = b"abc\0junk"
    fixed[16:20] = (-5).to_bytes(4, "little", signed=True)
    fixed[21:29] = (2**63 + 1).to_bytes(8, "little")
    fixed[29:45] = (7).to_bytes(8, "little") + (8).to_bytes(8, "little")
    fixed[45:49] = (53 | 6 << 16).to_bytes(4, "little")
    fixed[49:53] = (6 | 4 << 16).to_bytes(4, "little")
    return np.frombuffer(bytes(fixed) + b"hello\0" + b"\x01\0\x02\0", np.uint8)


@pytest.fixture
def event() -> EventFormat:
    return parse_event_format(TEXT, "test")


def test_parse_event_format_kinds(event: EventFormat) -> None:
    kinds = {name: f.kind for name, f in event.fields.items()}
    assert kinds == {
        "comm": "text", "small": "int", "big": "int", "caller": "array",
        "name": "dyntext", "more": "dynarray",
    }  # fmt: skip
    assert event.full_name == "test:demo"
    assert next(iter(event.common)) == "common_type"


@pytest.mark.parametrize(
    ("name", "value"),
    [("comm", b"abc"), ("small", -5), ("big", 2**63 + 1), ("name", b"hello")],
)
def test_gather_field_values(event: EventFormat, name: str, value: object) -> None:
    data = record()
    got = gather_field(data, np.array([0]), np.array([63]), event, event.fields[name])
    assert got[0] == value


def test_gather_field_arrays(event: EventFormat) -> None:
    data, at, size = record(), np.array([0]), np.array([63])
    assert gather_field(data, at, size, event, event.fields["caller"]).tolist() == [[7, 8]]
    assert gather_field(data, at, size, event, event.fields["more"])[0].tolist() == [1, 2]


def test_gather_field_format_that_lies_is_an_error(event: EventFormat) -> None:
    with pytest.raises(TraceError) as caught:
        gather_field(record(), np.array([0]), np.array([20]), event, event.fields["big"])
    assert caught.value.code == "LP0605"
    assert "20 bytes" in str(caught.value) and "29" in str(caught.value)


def test_gather_field_dynamic_text_outside_its_record_is_an_error(event: EventFormat) -> None:
    with pytest.raises(TraceError, match="points outside"):
        gather_field(record(), np.array([0]), np.array([55]), event, event.fields["name"])


@pytest.mark.parametrize(
    "text",
    ["", "name: x\n", "ID: 5\n", TEXT.replace("size:4;\tsigned:0;\n\nprint", "size:9;\nprint")],
)
def test_parse_event_format_damaged_is_an_error(text: str) -> None:
    with pytest.raises(TraceError) as caught:
        parse_event_format(text, "test")
    assert caught.value.code == "LP0604"


REST = """name: print
ID: 5
format:
\tfield:unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;
\tfield:char buf[];\toffset:16;\tsize:0;\tsigned:0;
\tfield:u32 args[];\toffset:16;\tsize:0;\tsigned:0;

print fmt: "%s", REC->buf
"""


def test_a_field_of_size_0_reaches_to_the_end_of_its_record() -> None:
    event = parse_event_format(REST, "ftrace")
    data = np.frombuffer(bytes(16) + b"hello\n\0x" + bytes(16) + b"longer text!", np.uint8)
    at, size = np.array([0, 24]), np.array([24, 28])
    assert gather_field(data, at, size, event, event.fields["buf"]).tolist() == [
        b"hello\n", b"longer text!",
    ]  # fmt: skip
    args = gather_field(data, at, size, event, event.fields["args"])
    assert [a.size for a in args] == [2, 3] and args[0].dtype == np.uint32
    with pytest.raises(TraceError) as caught:
        gather_field(data, np.array([0]), np.array([8]), event, event.fields["buf"])
    assert caught.value.code == "LP0605"
