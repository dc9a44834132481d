#!/bin/sh
# Passes the tests: fetches the tools that the tests with real tools need into .cache (see tools.sh), runs every test,
# and says at the end which of them had to do without their tool. With CI=true a missing tool fails.
#
# usage: tests/run.sh [--apt]      --apt: also install what only the system's package manager has
set -eu
cd "$(dirname "$0")/.."

sh tests/tools.sh "$@"

READY_TESTS_WITHOUT_TOOL=$PWD/target/tests-without-tool
export READY_TESTS_WITHOUT_TOOL
mkdir -p target
rm -f "$READY_TESTS_WITHOUT_TOOL"

status=0
cargo test --locked --no-fail-fast || status=$?

if [ -s "$READY_TESTS_WITHOUT_TOOL" ]; then
    echo
    echo "NOT RUN, for want of their tool:"
    sort -u "$READY_TESTS_WITHOUT_TOOL"
fi
exit $status
