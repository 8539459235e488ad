#!/usr/bin/env bash
# Make the lock files again: pinned versions with hashes, no index, no download address. Needs uv on the PATH (`pip install uv`).
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { uv pip compile "$@" --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade --python-version 3.11 --python-platform x86_64-unknown-linux-gnu; }
compile pyproject.toml --extra train --extra tensorflow --extra report --extra notebook --extra audit --extra export --extra serve --extra ray --extra dev -o requirements/lock-linux-x86_64.txt
for wanted in requirements/clean-*.in; do
    [ -e "$wanted" ] && compile "$wanted" -o "${wanted%.in}.txt"
done
