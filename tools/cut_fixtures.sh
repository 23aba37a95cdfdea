#!/bin/sh
# Make the fixtures under tests/trace/fixtures from the recordings in ../shared/traces.
set -eu
cd "$(dirname "$0")/.."
from=${1:-../shared/traces}
to=tests/trace/fixtures
cut="${PYTHON:-.venv/bin/python} tools/cut_trace.py"
mkdir -p $to
$cut $from/x86-svm-6.1-text/trace.dat $to/x86-6.1.dat --skip 150 --pages 40 \
    --text $from/x86-svm-6.1-text/trace.txt.xz $to/x86-6.1.txt.xz
$cut $from/x86-svm-6.1-text/trace.dat $to/x86-6.1-v6.dat --skip 150 --pages 8 --version 6 --pack none
$cut $from/x86-svm-6.1-text/trace.dat $to/x86-6.1-zlib.dat --skip 150 --pages 40 --pack zlib
$cut $from/x86-svm-6.12-ioctl/trace.dat $to/x86-6.12-ioctl.dat --skip 350 --pages 60
$cut $from/x86-svm-6.12-ple/trace.dat $to/x86-6.12-ple.dat --skip 400 --pages 40
$cut $from/arm64-6.12/trace.dat $to/arm64-6.12.dat --skip 500 --pages 40
$cut $from/riscv64-7.2/trace.dat $to/riscv64-7.2.dat --skip 400 --pages 40
$cut $from/x86-svm-6.12-perf/perf.data $to/x86-6.12-perf.data --records 3000
$cut $from/x86-svm-6.1-ple/trace.dat examples/x86-6.1-ple.dat --skip 2 --pages 40
