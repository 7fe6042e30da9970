#!/usr/bin/env bash
# Make the virtual environment .venv that `make app` and `make test` run in, or find it ready and change nothing.
#
#   tools/environment.sh app [PORT]    what requirements.txt lists and this project; PORT must be free
#   tools/environment.sh test          the same, what requirements-test.txt lists, and Debian's Chromium when root
#
# PYTHON=/path/to/python3.x chooses the interpreter; without it the newest suitable one on the PATH is taken.
# Every failure is one line on stderr and exit code 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONHOME PYTHONPATH
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

OLDEST=11 NEWEST=14  # of Python 3: torch 2.15 and streamlit 1.67 want 3.11, scipy 1.17 has no wheels after 3.14
SPACE_GB=10          # the downloads and the 6 GB that become of them
venv=.venv
log=$venv/install.log
test_lists=(requirements.txt requirements-test.txt)
unfinished=$venv/.unfinished  # there while packages are being installed: who finds it starts anew

say() { printf '%s\n' "$*" >&2; }
die() { say "pursuhint: $*"; exit 1; }

# --- the interpreter -------------------------------------------------------------------------------------------

# Print "<minor> <yes|no: able to make environments> <path>" for a suitable interpreter, else nothing.
probe_python() {
    "$1" -I - "$OLDEST" "$NEWEST" 2>/dev/null <<'PY' || true
import importlib.util, sys, sysconfig
version, minors = sys.version_info[:3], range(int(sys.argv[1]), int(sys.argv[2]) + 1)
suitable = version[0] == 3 and version[1] in minors and version != (3, 14, 1)  # torchvision refuses 3.14.1
if suitable and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    able = all(map(importlib.util.find_spec, ("venv", "ensurepip")))
    print(version[1], "yes" if able else "no", getattr(sys, "_base_executable", "") or sys.executable)
PY
}

# Print the path of every interpreter on the PATH that may do, newest name first.
list_pythons() {
    local minor
    if [ -n "${PYTHON:-}" ]; then type -P "$PYTHON" || true; return; fi
    for minor in $(seq "$NEWEST" -1 "$OLDEST"); do type -aP "python3.$minor" || true; done
    type -aP python3 python || true
}

# Set `base_python` to the newest suitable interpreter, first among those able to make environments.
find_python() {
    local path suitable best
    suitable=$(list_pythons | while read -r path; do probe_python "$path"; done | sort -s -k2,2r -k1,1nr)
    if [ -z "$suitable" ]; then
        best=$(list_pythons | while read -r path; do
            "$path" --version 2>/dev/null </dev/null | sed -n "s|^Python .*|& at $path|p" || true
        done | sort -u | head -n 2 | paste -sd, | sed 's/,/, /')
        die "Python 3.$OLDEST to 3.$NEWEST is needed, found ${best:-none}; install python3.12 and python3.12-venv," \
            "say, or name one: make PYTHON=/path/to/python3.12 ..."
    fi
    best=$(head -n 1 <<<"$suitable")
    base_python=${best#* * }
    [[ $best == *" yes "* ]] || add_venv_module "python3.${best%% *}-venv"
}

# Debian and Ubuntu keep the venv module in a package of its own.
add_venv_module() {
    if [ "$(id -u)" = 0 ] && [[ $base_python == /usr/bin/* ]] && type -P apt-get >/dev/null; then
        say "Installing $1 with apt-get"
        apt_install "$1" || die "$1 is missing and apt-get could not install it; try: apt-get install $1"
    else
        die "$1 is missing, so $base_python cannot make a virtual environment; try: sudo apt-get install $1"
    fi
}

apt_install() {
    local output
    export DEBIAN_FRONTEND=noninteractive
    output=$({ apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"; } 2>&1 </dev/null) ||
        { say "apt-get: ${output##*$'\n'}"; return 1; }
}

# --- the environment -------------------------------------------------------------------------------------------

# Print the first package of the given lists that is not there in its version, or the first module lost from disk.
first_missing() {
    "$venv/bin/python" -I - "$@" <<'PY'
import os, re, sys
from importlib import metadata
for path in sys.argv[1:]:
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", open(path, encoding="utf-8").read(), re.M):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = None
        if found != version:
            sys.exit(print(f"{name} {version}"))
for package in metadata.distributions():
    for line in (package.read_text("RECORD") or "").splitlines():
        file = line.split(",", 1)[0]
        needed = file.endswith(("/__init__.py", ".so")) or ("/" not in file and file.endswith(".py"))
        if needed and not os.path.exists(package.locate_file(file)):
            sys.exit(print(file))
PY
}

# What a stamp stands for: the lists, this project's own metadata, the interpreter.
fingerprint() {
    { cat constraints.txt "$@"; sed '/^\[tool\.\(ruff\|pytest\)/,$d' pyproject.toml
      "$venv/bin/python" -I -c 'import sys; print(sys.version)'; } | sha256sum | cut -d' ' -f1
}

stamped() {
    [ -e "$venv/.ready-$1" ] && [ "$(cat "$venv/.ready-$1")" = "$(fingerprint "${@:2}")" ]
}

# Print why .venv must be made anew; nothing when it is ready or only has to be completed.
damage() {
    local probe home missing
    probe=$(probe_python "$venv/bin/python")
    home=$(sed -n 's/^command = .* -m venv.* \//\//p' "$venv/pyvenv.cfg" 2>/dev/null || true)
    if [ -e "$unfinished" ]; then
        echo "its set-up did not end"
    elif [ -z "$probe" ]; then
        echo "its Python does not run or is not suitable"
    elif [ -n "${PYTHON:-}" ] && [[ $(probe_python "$PYTHON") != "${probe%% *} "* ]]; then
        echo "it is not of the Python asked for"
    elif [ -n "$home" ] && [ "$home" != "$(pwd -P)/$venv" ]; then
        echo "it was made for $home"
    elif stamped app requirements.txt; then
        if stamped test "${test_lists[@]}"; then missing=$(first_missing "${test_lists[@]}")
        else missing=$(first_missing requirements.txt); fi
        if [ -n "$missing" ]; then echo "it lacks $missing"; fi
    elif ! "$venv/bin/python" -I -m pip --version >/dev/null 2>&1; then
        echo "it lacks pip"
    fi
}

make_venv() {
    [ -w . ] || die "cannot write in $PWD, where $venv is to be made; use a checkout of your own"
    find_python
    rm -rf "$venv" 2>/dev/null || die "cannot replace $PWD/$venv, which another user made; remove it and call again"
    if [ "$(free_gb)" -lt "$SPACE_GB" ]; then no_space; fi
    mkdir "$venv"
    : >"$unfinished"
    say "Making $venv with $("$base_python" --version), $base_python"
    "$base_python" -I -m venv "$venv" >>"$log" 2>&1 || explain_failure
}

# Say in one line, from its log, why pip failed.
explain_failure() {
    local text
    text=$(tail -n 100 "$log" 2>/dev/null || true)
    case $text in
        *CERTIFICATE_VERIFY_FAILED*)
            die "the package registry's certificate is not trusted; name yours in PIP_CERT and call again; log: $log" ;;
        *"onnection refused"*|*NewConnectionError*|*"ame resolution"*|*NameResolutionError*|*unreachable*|*ProxyError*|\
        *"timed out"*|*"onnection reset"*|*"Connection aborted"*|*"Max retries"*)
            no_network "the package registry cannot be reached" ;;
        *"No space left on device"*|*"Disk quota exceeded"*)
            no_space ;;
        *incomplete-download*|*IncompleteRead*|*"onnection broken"*)  # what pip says of a full disk, too
            if [ "$(free_gb)" -lt 3 ]; then no_space; fi
            no_network "the download broke off" ;;
    esac
    if [ "$(free_gb)" -lt 1 ]; then no_space; fi  # not even room for the log
    text=$(grep -i '^ *error' <<<"$text" | tail -n 1 || true)
    die "the installation failed: ${text:-no message}; log: $log"
}

no_network() {
    rm -f "$unfinished"  # nothing was unpacked yet
    die "no network: $1; check connection and proxy and call again; log: $log"
}

free_gb() { df -Pk . | awk 'NR == 2 {print int($4 / 1048576)}'; }
no_space() { die "no space: $SPACE_GB GB are needed in $PWD, $(free_gb) GB are free; free some and call again"; }

# On a terminal, one line that names what is being fetched.
show_progress() {
    if [ -t 2 ]; then
        local line
        while IFS= read -r line; do
            case $line in
                *"Downloading "*|*"Using cached "*) printf '\r\033[K%s' "${line:0:78}" >&2 ;;
                "Installing collected"*) printf '\r\033[K  Unpacking' >&2 ;;
            esac
        done
        printf '\r\033[K' >&2
    else
        cat >/dev/null
    fi
}

pip_install() {  # byte code is compiled when a module is first imported: that saves a minute here
    TMPDIR=$PWD/$venv/tmp "$venv/bin/python" -I -m pip install --no-compile "$@" 2>&1 </dev/null |
        tee -a "$log" | show_progress || explain_failure
}

# Install one of the lists unless its stamp says that this has been done: install_lists <name> <list>...
install_lists() {
    local missing
    if stamped "$@"; then return; fi
    [ -w "$venv" ] || die "cannot write in $PWD/$venv, which another user made; remove it or use a checkout of your own"
    : >"$unfinished"
    : >"$log"
    mkdir -p "$venv/tmp"  # /tmp may be small and in memory
    if [ "$1" = app ]; then
        if [ -e "$venv/.ready-app" ]; then say "Bringing $venv up to date with requirements.txt"
        else say "Installing requirements.txt: 2.7 GB to fetch, two to five minutes"; fi
        pip_install --retries 2 --upgrade -c constraints.txt pip setuptools
        pip_install -r requirements.txt
        pip_install --no-deps --no-build-isolation --editable .
    else
        say "Installing requirements-test.txt"
        pip_install -r requirements-test.txt
    fi
    rm -rf "$venv/tmp"
    missing=$(first_missing "${@:2}")
    [ -z "$missing" ] || die "the installation failed: $missing is not there afterwards; call again; log: $log"
    fingerprint "${@:2}" >"$venv/.ready-$1"
    rm -f "$unfinished"
}

# --- what the two commands need besides ------------------------------------------------------------------------

check_port() {
    [[ $1 =~ ^[0-9]{1,5}$ ]] && [ "$((10#$1))" -ge 1 ] && [ "$((10#$1))" -le 65535 ] ||
        die "PORT must be a number from 1 to 65535, found '$1'; try: make app PORT=8501"
    "$2" -I - "$((10#$1))" <<'PY' || exit 1
import errno, socket, sys
def refusal(port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            return error
port = int(sys.argv[1])
error = refusal(port)
if error:
    free = next((p for p in range(max(port + 1, 8501), 65536) if refusal(p) is None), 8501)
    why = "in use by another program" if error.errno == errno.EADDRINUSE else f"refused ({error.strerror})"
    sys.exit(f"pursuhint: port {port} is {why}; take another one: make app PORT={free}")
PY
}

add_browser() {
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        if type -P "$name" >/dev/null; then return; fi
    done
    if [ "$(id -u)" = 0 ] && grep -qx 'ID=debian' /etc/os-release 2>/dev/null; then  # Ubuntu has it as a snap only
        say "Installing chromium with apt-get"
        if apt_install chromium fonts-liberation; then return; fi
    fi
    say "No Chromium or Chrome on the PATH: the browser tests will be skipped; on Debian: sudo apt-get install chromium"
}

main() {
    local why
    if type -P flock >/dev/null; then  # two calls at once: the second waits, then finds everything done
        exec 9<requirements.txt
        flock 9
    fi
    if [ "$1" = app ] && [ -n "${2:-}" ]; then
        base_python=$venv/bin/python
        if [ -z "$(probe_python "$base_python")" ]; then find_python; fi
        check_port "$2" "$base_python"
    fi
    if [ -e "$venv" ]; then why=$(damage); else why=absent; fi
    if [ -n "$why" ]; then
        if [ "$why" != absent ]; then say "Making $venv anew: $why"; fi
        make_venv
    fi
    install_lists app requirements.txt
    if [ "$1" = test ]; then
        install_lists test "${test_lists[@]}"
        add_browser
    fi
}

main "$@"
