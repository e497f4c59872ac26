#!/bin/sh
# Makes the virtual environment from the lock file. Called by the Makefile; safe to call again.
#   sh deploy/setup.sh          what `make run` needs
#   sh deploy/setup.sh tests    also what the tests drive: a browser, and the tool that writes the list of packages
#   sh deploy/setup.sh sbom     that list: sbom.cdx.json
#   sh deploy/setup.sh lock     the lock files anew
set -eu
VENV=${VENV:-.venv}
WHAT=${1:-run}
NEEDED_KB=7000000
started=$(date +%s)

say() { printf '  %s\n' "$*"; }
fail() { printf 'Set-up stopped: %s\n' "$*" >&2; exit 1; }

engine() {
    if nvidia-smi -L >/dev/null 2>&1; then echo gpu; else echo cpu; fi
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
    if [ ! -x "$VENV/tools/bin/uv" ]; then
        python3 -m venv "$VENV/tools" || fail "python3 -m venv failed; install Python 3.11 with its venv module (Debian: apt-get install python3.11-venv)."
        "$VENV/tools/bin/python" -m pip install --quiet "uv>=0.9" || fail "uv could not be installed from PyPI; check the network."
    fi
    echo "$VENV/tools/bin/uv"
}

# The CPU build of torch is not on PyPI: it comes from a folder of wheels where one is configured for pip,
# and from PyTorch's own index otherwise.
torch_source() {
    if [ -n "${UV_FIND_LINKS:-}" ]; then echo "--find-links $UV_FIND_LINKS"
    elif [ -n "${PIP_FIND_LINKS:-}" ]; then echo "--find-links $PIP_FIND_LINKS"
    elif [ "$(engine)" = cpu ]; then echo "--torch-backend cpu"
    fi
}

stamp() {
    cat "locks/$(engine).txt" pyproject.toml | cksum | tr ' ' '-'
}

install_python_packages() {
    if [ "$(cat "$VENV/.installed" 2>/dev/null)" = "$(stamp)" ]; then return; fi
    mkdir -p "$VENV"
    free=$(df -Pk "$VENV" | awk 'NR==2 {print $4}')
    [ "$free" -gt "$NEEDED_KB" ] || fail "$((free / 1024)) MB free on this disk, $((NEEDED_KB / 1024)) MB needed. Free some room and try again."
    uv=$(find_uv)
    say "Installing the packages of locks/$(engine).txt (about 4 GB, once)"
    [ -x "$VENV/bin/python" ] || "$uv" venv --quiet --allow-existing --python 3.11 "$VENV" || fail "Python 3.11 was not found; install it and try again."
    # shellcheck disable=SC2046
    "$uv" pip install --quiet --python "$VENV/bin/python" --no-deps --compile-bytecode $(torch_source) -r "locks/$(engine).txt" \
        || fail "the packages could not be installed; the lines above say which one. Check the network and try again."
    "$uv" pip install --quiet --python "$VENV/bin/python" --no-deps --editable . \
        || fail "the project itself could not be installed."
    stamp > "$VENV/.installed"
    say "Packages installed ($(($(date +%s) - started)) s)"
}

install_browser() {
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return; fi
    done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing Chromium for the tests of the page"
        (apt-get update -qq && apt-get install -y -qq chromium) >/dev/null 2>&1 && return
    fi
    say "No Chromium found: the tests of the page will be skipped. Install the package 'chromium' to run them."
}

# In an environment of its own, so that the list does not list what lists.
install_sbom_tool() {
    if [ -x "$VENV/sbom/bin/cyclonedx-py" ]; then return; fi
    uv=$(find_uv)
    "$uv" venv --quiet --allow-existing --python "$VENV/bin/python" "$VENV/sbom" \
        && "$uv" pip install --quiet --python "$VENV/sbom/bin/python" --require-hashes --no-deps -r locks/sbom.txt \
        || fail "cyclonedx-bom could not be installed; check the network."
}

write_sbom() {
    "$VENV/sbom/bin/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible \
        --output-file sbom.cdx.json "$VENV/bin/python" || fail "the list of packages could not be written."
    say "sbom.cdx.json lists every package of $VENV"
}

case "$WHAT" in
    lock) UV=$(find_uv) sh deploy/lock.sh; exit ;;
esac
install_python_packages
case "$WHAT" in
    tests) install_browser; install_sbom_tool ;;
    sbom) install_sbom_tool; write_sbom ;;
esac
