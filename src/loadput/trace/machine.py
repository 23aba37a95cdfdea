"""``loops.py`` as machine code.

The words of that file (whole numbers, ``while``, ``if``, loads and stores) are translated to LLVM's
text one by one; LLVM does the rest. The result depends on nothing but these two files and the kind
of processor, so it is kept in the user's cache together with their whole text, and used again only
where that text is the same, byte by byte: importing and running LLVM takes longer than reading a
small recording.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import mmap
import os
import sys
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

Loop = Callable[..., int]

_LOADS = {"u8": "i8", "u16": "i16", "u32": "i32", "i64": "i64"}
_STORES = {"put8": "i8", "put16": "i16", "put32": "i32", "put64": "i64"}
_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or",
    ast.BitXor: "xor", ast.LShift: "shl", ast.RShift: "ashr",
}  # fmt: skip
_COMPARE = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "slt", ast.LtE: "sle", ast.Gt: "sgt", ast.GtE: "sge",
}  # fmt: skip
_ALIGN = 64
# Sections of an object file that its code does not need to run.
_INERT = (".strtab", ".symtab", ".shstrtab", ".note", ".comment")
_loaded: dict[str, Loop] = {}
# What must stay alive as long as the code is used.
_owners: list[Any] = []


def find_loop(name: str) -> Loop:
    """Return one function of ``loops.py`` as machine code."""
    if not _loaded:
        _loaded.update(_load())
    return _loaded[name]


def _load() -> dict[str, Loop]:
    text = _read(os.path.join(os.path.dirname(__file__), "loops.py"))
    # Machine code is the same for every processor of a kind: no instruction beyond its baseline.
    host = f"{sys.platform} {os.uname().machine if hasattr(os, 'uname') else ''}\n".encode()
    key = host + _read(__file__) + text
    path = _cache_path()
    found = _read_cache(path, key) if path else None
    if found is None:
        found, parts = _compile(text.decode())
        if path and parts:
            _write_cache(path, key, parts)
    return found


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _cache_path() -> str | None:
    """Where the code is kept: Linux only, where a file can be mapped as code without ado."""
    if sys.platform != "linux":
        return None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(home):
        return None
    return os.path.join(home, "loadput", "trace-loops.bin")


def _read_cache(path: str, key: bytes) -> dict[str, Loop] | None:
    # size of the rest, checksum of the rest | size of key, key | count, (name, place) ... | code
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            data = file.read()
            size, check = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:16], "little")
            body = data[16:]
            if len(body) != size or zlib.crc32(body) != check:
                return None
            length = int.from_bytes(body[:8], "little")
            if body[8 : 8 + length] != key:
                return None
            code = mmap.mmap(
                file.fileno(), len(data), mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC
            )
    except (OSError, ValueError):
        return None
    _owners.append(code)
    base = np.frombuffer(code, np.uint8).ctypes.data
    names = body[8 + length :].split(b"\n\n", 1)[0].decode().split("\n")
    rows = (line.split(" ") for line in names)
    return {name: _callable(base + int(place), int(count)) for name, place, count in rows}


def _write_cache(path: str, key: bytes, parts: dict[str, tuple[bytes, int]]) -> None:
    # The places depend on the length of the table that holds them: digits of a fixed width.
    head = 16 + 8 + len(key) + sum(len(f"{name} {0:09} {0:02}\n") for name in parts) + 1
    place = -(-head // _ALIGN) * _ALIGN
    table, code = b"", b""
    for name, (piece, count) in parts.items():
        table += f"{name} {place + len(code):09} {count:02}\n".encode()
        code += piece + bytes(-len(piece) % _ALIGN)
    body = len(key).to_bytes(8, "little") + key + table + b"\n" + bytes(place - head) + code
    data = len(body).to_bytes(8, "little") + zlib.crc32(body).to_bytes(8, "little") + body
    part = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, path)  # whoever has the old file mapped keeps it
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)


def _callable(address: int, count: int) -> Loop:
    word = ctypes.c_int64
    loop: Loop = ctypes.CFUNCTYPE(word, *[word] * count)(address)
    return loop


def _compile(source: str) -> tuple[dict[str, Loop], dict[str, tuple[bytes, int]]]:
    """(functions, (code, parameters) of each where it can be moved to another address)."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_default_triple()
    machine = llvm.Target.from_triple(triple).create_target_machine(
        opt=2, reloc="pic", codemodel="small"
    )
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    out: dict[str, Loop] = {}
    parts: dict[str, tuple[bytes, int]] = {}
    is_movable = True
    for tree in ast.parse(source).body:
        if not isinstance(tree, ast.FunctionDef):
            continue
        text = f'target triple = "{triple}"\n' + Translator(tree).text()
        module = llvm.parse_assembly(text)
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
        count = len(tree.args.args)
        piece = _plain_code(llvm, machine.emit_object(module))
        is_movable = is_movable and piece is not None
        parts[tree.name] = (piece or b"", count)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        _owners.append(engine)
        out[tree.name] = _callable(engine.get_function_address(tree.name), count)
    return out, parts if is_movable else {}


def _plain_code(llvm: Any, data: bytes) -> bytes | None:
    """The code of an object file that needs nothing else: no constants beside it, no fix-ups."""
    code = None
    with llvm.ObjectFileRef.from_data(data) as file:
        for section in file.sections():
            name = section.name() or b""
            name = name.decode() if isinstance(name, bytes) else name
            if section.is_text() and section.size() and code is None:
                code = bytes(section.data())
            elif section.size() and not name.startswith(_INERT):
                return None
    return code


class Translator:
    """One function of ``loops.py`` to LLVM's text. Every variable is an ``i64`` on the stack."""

    def __init__(self, tree: ast.FunctionDef) -> None:
        self._tree = tree
        self._lines: list[str] = []
        self._names: dict[str, None] = {}
        self._count = 0
        self._loops: list[tuple[str, str]] = []

    def text(self) -> str:
        """The whole function."""
        params = [a.arg for a in self._tree.args.args]
        for name in params:
            self._names[name] = None
            self._lines.append(f"  store i64 %in.{name}, ptr %{name}")
        self._block(self._tree.body)
        self._lines.append("  unreachable")
        head = ", ".join(f"i64 %in.{name}" for name in params)
        slots = [f"  %{name} = alloca i64" for name in self._names]
        lines = [f"define i64 @{self._tree.name}({head}) #0 {{", *slots, *self._lines, "}"]
        # The code must stand alone: no loop becomes a call of memcpy, no choice a table.
        alone = 'attributes #0 = { nounwind "no-builtins" "no-jump-tables"="true" }'
        return "\n".join([*lines, alone, ""])

    def _fresh(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def _emit(self, text: str) -> str:
        name = f"%{self._fresh()}"
        self._lines.append(f"  {name} = {text}")
        return name

    def _jump(self, label: str) -> None:
        self._lines.append(f"  br label %{label}")

    def _label(self, label: str) -> None:
        self._lines.append(f"{label}:")

    def _block(self, body: list[ast.stmt]) -> None:
        for node in body:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                got = self._value(value)
                self._names[name] = None
                self._lines.append(f"  store i64 {got}, ptr %{name}")
            case ast.While(test=test, body=body, orelse=[]):
                again, inside, out = (self._fresh() for _ in range(3))
                self._jump(again)
                self._label(again)
                self._branch(test, inside, out)
                self._label(inside)
                self._loops.append((again, out))
                self._block(body)
                self._loops.pop()
                self._jump(again)
                self._label(out)
            case ast.If(test=test, body=body, orelse=other):
                yes, no, out = (self._fresh() for _ in range(3))
                self._branch(test, yes, no)
                for label, block in ((yes, body), (no, other)):
                    self._label(label)
                    self._block(block)
                    self._jump(out)
                self._label(out)
            case ast.Break():
                self._jump(self._loops[-1][1])
                self._label(self._fresh())
            case ast.Return(value=ast.expr() as value):
                self._lines.append(f"  ret i64 {self._value(value)}")
                self._label(self._fresh())
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[at, value])):
                self._store(_STORES[name], self._value(at), self._value(value))
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case _:
                raise NotImplementedError(ast.unparse(node))

    def _store(self, kind: str, at: str, value: str) -> None:
        if kind != "i64":
            value = self._emit(f"trunc i64 {value} to {kind}")
        place = self._emit(f"inttoptr i64 {at} to ptr")
        self._lines.append(f"  store {kind} {value}, ptr {place}, align 1")

    def _value(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=int(value)):
                return str(value)
            case ast.Name(id=name):
                return self._emit(f"load i64, ptr %{name}")
            case ast.UnaryOp(op=ast.USub(), operand=value):
                return self._emit(f"sub i64 0, {self._value(value)}")
            case ast.UnaryOp(op=ast.Invert(), operand=value):
                return self._emit(f"xor i64 -1, {self._value(value)}")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                a, b = self._value(left), self._value(right)
                return self._emit(f"{_BINARY[type(op)]} i64 {a}, {b}")
            case ast.Call(func=ast.Name(id=name), args=[at]):
                kind = _LOADS[name]
                place = self._emit(f"inttoptr i64 {self._value(at)} to ptr")
                got = self._emit(f"load {kind}, ptr {place}, align 1")
                return got if kind == "i64" else self._emit(f"zext {kind} {got} to i64")
        raise NotImplementedError(ast.unparse(node))

    def _branch(self, node: ast.expr, yes: str, no: str) -> None:
        match node:
            case ast.BoolOp(op=op, values=[*first, last]):
                for value in first:
                    here = self._fresh()
                    is_and = isinstance(op, ast.And)
                    self._branch(value, here if is_and else yes, no if is_and else here)
                    self._label(here)
                self._branch(last, yes, no)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                a, b = self._value(left), self._value(right)
                test = self._emit(f"icmp {_COMPARE[type(op)]} i64 {a}, {b}")
                self._lines.append(f"  br i1 {test}, label %{yes}, label %{no}")
            case _:
                raise NotImplementedError(ast.unparse(node))
