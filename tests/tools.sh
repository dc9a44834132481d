#!/bin/sh
# Fetches what the tests with real tools need, into .cache of the repository:
#
#   .cache/tools/python   a venv with the shop's requirements and locust
#   .cache/tools/node     node_modules of the shop's front end, with jest
#
# Says `have: TOOL VERSION` or `cannot have: TOOL (WHY)`, a line for each. What
# cannot be had is no error, except where CI=true. Quick when nothing is to do.
#
# usage: tests/tools.sh [--apt]
#   --apt   also installs what only the system package manager has (root on
#           Debian or Ubuntu)

set -eu

LOCUST='locust==2.47.0'

apt=no
for option in "$@"; do
    case $option in
    --apt) apt=yes ;;
    *)
        echo "usage: tests/tools.sh [--apt]" >&2
        exit 2
        ;;
    esac
done

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
shop=$root/tests/projects/shop
tools=$root/.cache/tools
missing=no
mkdir -p "$tools"

# Two runs at once would write into the same folders.
if command -v flock >/dev/null; then
    exec 9>"$tools/lock"
    flock 9
fi

have() { echo "have: $1 $2"; }

cannot_have() {
    echo "cannot have: $1 ($2)"
    missing=yes
}

# The last line that is not blank: where installers say what went wrong.
last_line() { sed -n '/[^[:space:]]/h; ${ x; p; }' "$1"; }

is_stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# --- with the system package manager

has_venv() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Without this, installing nginx starts it: on port 80, for good.
install_quietly() {
    policy=/usr/sbin/policy-rc.d
    made=no
    if [ ! -e $policy ]; then
        made=yes
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
    fi
    status=0
    { apt-get update && apt-get install -y --no-install-recommends "$@"; } \
        >"$tools/apt.log" 2>&1 </dev/null 9>&- || status=$?
    if [ $made = yes ]; then
        rm -f $policy
        trap - EXIT INT TERM
    fi
    return $status
}

apt_install() {
    wanted=
    command -v nginx >/dev/null || wanted="$wanted nginx-light"
    command -v ps >/dev/null || wanted="$wanted procps"
    command -v setsid >/dev/null || wanted="$wanted util-linux"
    is_stamped "$python/stamp" "$python_key" || has_venv || wanted="$wanted python3-venv"
    [ -n "$wanted" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "--apt: no apt-get here, not installing:$wanted"
    elif [ "$(id -u)" != 0 ]; then
        echo "--apt: needs root, not installing:$wanted"
    else
        # shellcheck disable=SC2086 # a list of package names
        DEBIAN_FRONTEND=noninteractive install_quietly $wanted ||
            echo "--apt: could not install$wanted: $(last_line "$tools/apt.log")"
    fi
}

system_tool() { # COMMAND PACKAGE VERSION-COMMAND…
    tool=$1 package=$2
    shift 2
    if command -v "$tool" >/dev/null; then
        have "$tool" "$("$@" 2>&1 | sed -n '1s/^[^0-9]*\([0-9][0-9.]*\).*/\1/p')"
    else
        cannot_have "$tool" "install it with the system's package manager: apt-get install $package"
    fi
}

# --- Python

python=$tools/python
python_key=$(cat "$shop/backend/requirements.txt" && echo "$LOCUST")

install_python() {
    if ! command -v python3 >/dev/null; then
        why="no python3 on PATH"
    elif ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        why="python3 on PATH does not run or is older than 3.10"
    elif ! has_venv; then
        why="python3 has no venv module: apt-get install python3-venv"
    elif ! {
        rm -rf "$python" &&
            python3 -m venv "$python" &&
            "$python/bin/python" -m pip install --cache-dir "$root/.cache/pip" \
                --disable-pip-version-check --no-input --retries 2 --timeout 30 \
                -r "$shop/backend/requirements.txt" "$LOCUST"
    } >"$tools/python.log" 2>&1 </dev/null 9>&-; then
        why="pip install failed: $(last_line "$tools/python.log")"
        rm -rf "$python"
    else
        printf '%s\n' "$python_key" >"$python/stamp"
        return 0
    fi
    return 1
}

python_tools() {
    # A venv dies when the Python that it was made from goes.
    if is_stamped "$python/stamp" "$python_key" && "$python/bin/python" -c '' 2>/dev/null; then
        :
    elif ! install_python; then
        for name in pytest uvicorn locust; do cannot_have "$name" "$why"; done
        return 0
    fi
    have python "$(sed -n 's/^version *= *//p' "$python/pyvenv.cfg")"
    for name in pytest uvicorn locust; do
        for info in "$python"/lib/python3*/site-packages/"$name"-[0-9]*.dist-info; do
            version=${info##*/"$name"-}
            have "$name" "${version%.dist-info}"
        done
    done
}

# --- Node

node=$tools/node
node_key=$(cat "$shop/frontend/package.json" "$shop/frontend/package-lock.json")

# npm says what went wrong first, then how it is used.
npm_error() {
    sed -n -e '/^npm error \(code\|errno\|syscall\|type\) /d' -e '/^npm error ./ { s/^npm error //; p; q; }' "$1"
}

install_node() {
    if ! command -v npm >/dev/null; then
        why="no npm on PATH"
    elif ! (
        rm -rf "$node" && mkdir -p "$node" && cd "$node" &&
            cp "$shop/frontend/package.json" "$shop/frontend/package-lock.json" . &&
            npm ci --cache "$root/.cache/npm" --ignore-scripts --no-audit --no-fund \
                --no-update-notifier --fetch-timeout 60000 --fetch-retries 1 \
                --fetch-retry-mintimeout 1000 --fetch-retry-maxtimeout 4000
    ) >"$tools/node.log" 2>&1 </dev/null 9>&-; then
        why="npm ci failed: $(npm_error "$tools/node.log")"
        rm -rf "$node"
    else
        printf '%s\n' "$node_key" >"$node/node_modules/.stamp"
        return 0
    fi
    return 1
}

node_tools() {
    if ! command -v node >/dev/null; then
        cannot_have jest "no node on PATH"
    elif is_stamped "$node/node_modules/.stamp" "$node_key" || install_node; then
        have node "$(node --version | tr -d v)"
        have jest "$(sed -n 's/^ *"version": *"\(.*\)".*/\1/p' "$node/node_modules/jest/package.json")"
    else
        cannot_have jest "$why"
    fi
}

# ---

[ $apt = no ] || apt_install
python_tools
node_tools
system_tool nginx nginx-light nginx -v
system_tool ps procps ps --version
system_tool setsid util-linux setsid --version

if [ $missing = yes ] && [ "${CI:-}" = true ]; then
    exit 1
fi
