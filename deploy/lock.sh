#!/bin/sh
# Writes both lock files anew for what pyproject.toml asks: versions that still fit stay, each with the sha256 of every
# file of that version on PyPI, so that a file which was put in its place later is refused. Called by `make lock`;
# `sh deploy/lock.sh --upgrade-package peft` takes a newer version of one package.
#
# torch for the CPU has no hash: its wheel is not on PyPI, and PyTorch's index may publish it anew.
set -eu
UV=${UV:-uv}

lock() {
    engine=$1
    shift
    "$UV" pip compile --quiet pyproject.toml --extra "$engine" --extra dev --python-version 3.11 \
        --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header --no-annotate --no-emit-find-links \
        --output-file "locks/$engine.txt" "$@"
}

if [ -n "${PIP_FIND_LINKS:-}" ]; then torch="--find-links $PIP_FIND_LINKS"; else torch="--torch-backend cpu"; fi
# shellcheck disable=SC2086
lock cpu --overrides locks/overrides.txt $torch "$@"
sed -i -e '/^torch==.*+cpu/,/[^\\]$/{/^torch==/!d;s/ \\$//}' locks/cpu.txt
lock gpu "$@"
