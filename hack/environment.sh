#!/bin/sh
# Makes .venv and installs the locked dependencies into it: `runtime` is what `make up` needs, `development` all of it.
# Every way to fail ends in one line that cures it.
set -eu

want=${1:?runtime or development}
stamp=.venv/.$want
[ "$stamp" -nt uv.lock ] && [ "$stamp" -nt pyproject.toml ] && [ "$stamp" -nt "$0" ] && exit 0

fail() { printf 'pgherd: %s\n' "$*" >&2; exit 1; }

if [ ! -x .venv/bin/python ]; then
    python=
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$candidate; break; fi
    done
    [ -n "$python" ] || fail "no Python 3.11 or newer found. Cure: apt-get install python3 python3-venv (or make PYTHON=/path/to/python3.11)"
    "$python" -c 'import ensurepip' 2>/dev/null || fail "this Python cannot make virtual environments. Cure: apt-get install python3-venv"
    echo "pgherd: making .venv with $("$python" --version)"
    "$python" -m venv .venv || { rm -rf .venv; fail "could not make .venv. Cure: free some disk space, or make PYTHON=/path/to/python3.11"; }
fi
if [ ! -x .venv/bin/uv ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9' ||
        fail "could not install uv from the Python package index. Cure: check the network, or set PIP_INDEX_URL to a mirror"
fi
case $want in
    runtime) set -- --no-dev --inexact ;;
    development) set -- ;;
    *) fail "runtime or development, not $want" ;;
esac
# uv keeps itself: it is not in the lock file, and --inexact would not remove it either.
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv sync --frozen --extra local "$@" ||
    fail "could not install the locked dependencies. Cure: check the network and the disk, then run the same command again"
# With bytecode: pods run as a user who cannot write it, and would compile Patroni again at each start.
.venv/bin/python -m compileall -qq -j 0 -x '/kubernetes/.*/(api|models)/|/(pip|setuptools)/' .venv/lib src || :
touch "$stamp"
