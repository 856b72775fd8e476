# shellcheck shell=bash
# What deploy/quickstart.sh and tests/run.sh share: steps that announce themselves, Debian's packages, LibTorch.
# Sourced, never run. Needs `set -euo pipefail`; the caller sets LOG_DIR before the first step.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT

# PyTorch's wheel on PyPI. The only place that names its version.
readonly TORCH_VERSION=2.13.0
readonly NUMPY_VERSION=2.4.6  # with which PyTorch is a runtime as well, not LibTorch alone
readonly TORCH_VENV=$ROOT/build/torch-venv

# Compiling the programs needs these, the tests and the checks those as well.
# shellcheck disable=SC2034  # used by who sources this file
readonly BUILD_PACKAGES=(
  ca-certificates ccache cmake g++ git mold ninja-build pkg-config python3-venv
  libcli11-dev libgrpc++-dev libprotobuf-dev libspdlog-dev libsqlite3-dev libsqlitecpp-dev libtomlplusplus-dev
  libpng-dev libturbojpeg0-dev nlohmann-json3-dev protobuf-compiler protobuf-compiler-grpc)
# shellcheck disable=SC2034
readonly TEST_PACKAGES=(clang-format clang-tidy iproute2 libgmock-dev libgtest-dev python3 shellcheck sqlite3 util-linux)
# shellcheck disable=SC2034  # clang's libFuzzer; its compiler is left to what `clang` of this Debian is
readonly FUZZ_PACKAGES=(clang libclang-rt-dev)
readonly APT_TORCH_PACKAGES=(libtorch-dev libopenblas0-openmp)

# ---- steps -------------------------------------------------------------------------------------------------------

STEP_NUMBER=0
STEP_PID=""  # process group of the step that runs now

seconds_since() { awk -v from="$1" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f", to - from }'; }

say() { printf '%s\n' "$*"; }

# fail SENTENCE [LOG]: the sentence, the end of the log, and the end of the script with $STATUS, else 1.
fail() {
  printf '\nerror: %s\n' "$1" >&2
  if [[ -n ${2:-} && -s $2 ]]; then
    printf 'The last lines of %s:\n' "${2#"$ROOT"/}" >&2
    tail -n 20 "$2" | sed 's/^/  | /' >&2
  fi
  exit "${STATUS:-1}"
}

announce() {
  STEP_NUMBER=$((STEP_NUMBER + 1))
  printf '\n[%d] %s\n' "$STEP_NUMBER" "$1"
}

# step LOG TITLE COMMAND...: announces TITLE, runs COMMAND with its output in LOG_DIR/LOG.log, says how long it took.
# COMMAND runs in a process group of its own, so that stop_step ends all of it.
step() {
  local log=$LOG_DIR/$1.log title=$2 start status=0
  shift 2
  announce "$title"
  start=$(date +%s.%N)
  run_in_group "$@" >"$log" 2>&1 || status=$?
  ((status == 0)) || STATUS=$status fail "\"$title\" failed with status $status after $(seconds_since "$start") s." "$log"
  say "    done in $(seconds_since "$start") s"
}

# shown_step TITLE COMMAND...: the same with the output on the terminal.
shown_step() {
  local title=$1 start status=0
  shift
  announce "$title"
  start=$(date +%s.%N)
  run_in_group "$@" || status=$?
  ((status == 0)) || STATUS=$status fail "\"$title\" failed with status $status after $(seconds_since "$start") s."
  say "    done in $(seconds_since "$start") s"
}

run_in_group() {
  local status=0
  set -m
  ("$@") </dev/null &
  STEP_PID=$!
  set +m
  wait "$STEP_PID" || status=$?
  STEP_PID=""
  return "$status"
}

# Ends whatever the current step runs, its children included.
stop_step() {
  [[ -n $STEP_PID ]] || return 0
  end_group "$STEP_PID"
  STEP_PID=""
}

# end_group PID: SIGTERM to the process group, SIGKILL to what is left of it after 10 s.
end_group() {
  kill -TERM -- "-$1" 2>/dev/null || return 0
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    group_is_alive "$1" || return 0
    sleep 0.1
  done
  kill -KILL -- "-$1" 2>/dev/null || true
}

# Zombies do not count: in a container nobody may ever reap them.
group_is_alive() {
  local file line state group
  for file in /proc/[0-9]*/stat; do
    { read -r line <"$file"; } 2>/dev/null || continue
    read -r state _ group _ <<<"${line##*) }"
    [[ $group != "$1" || $state == Z ]] || return 0
  done
  return 1
}

# ---- Debian's packages -------------------------------------------------------------------------------------------

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "Installing packages needs root: run this script as root, or install sudo."
  fi
}

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# install_packages PACKAGE...: installs what is absent. Not in a process group of its own: sudo may ask for a password,
# and dpkg is better not interrupted.
install_packages() {
  local package absent=() start log=$LOG_DIR/apt.log
  for package in "$@"; do
    is_installed "$package" || absent+=("$package")
  done
  if ((${#absent[@]} == 0)); then
    announce "Debian packages: all $# that are needed are installed"
    return
  fi
  command -v apt-get >/dev/null ||
    fail "This system has no apt-get; Fleetmark is built from Debian's packages: ${absent[*]}."
  announce "Installing Debian packages: ${absent[*]}"
  start=$(date +%s.%N)
  if [[ -n $(dpkg --audit) ]]; then
    as_root dpkg --configure -a >"$log" 2>&1 || fail "dpkg --configure -a failed." "$log"
  fi
  as_root apt-get update >"$log" 2>&1 || fail "apt-get update failed: is the network reachable?" "$log"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${absent[@]}" >>"$log" 2>&1 ||
    fail "apt-get could not install ${absent[*]}." "$log"
  say "    done in $(seconds_since "$start") s"
}

# ---- LibTorch ----------------------------------------------------------------------------------------------------

has_nvidia_gpu() { [[ -e /dev/nvidia0 ]] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }; }

# pip writes INSTALLER last: an installation that was interrupted does not count.
has_torch_wheel() {
  compgen -G "$TORCH_VENV/lib/python3*/site-packages/torch-$TORCH_VERSION*.dist-info/INSTALLER" >/dev/null &&
    compgen -G "$TORCH_VENV/lib/python3*/site-packages/numpy-$NUMPY_VERSION.dist-info/INSTALLER" >/dev/null
}

# Bookworm's pip downloads every wheel of a dry run whole; newer ones read the metadata alone.
make_torch_venv() {
  if [[ ! -x $TORCH_VENV/bin/pip ]]; then
    rm -rf "$TORCH_VENV" && /usr/bin/python3 -m venv "$TORCH_VENV" &&
      "$TORCH_VENV/bin/pip" install --quiet --upgrade 'pip>=24'
  fi
}

# What pip would install, to LOG_DIR/torch-report.json.
ask_pip() {
  make_torch_venv &&
    "$TORCH_VENV/bin/pip" install --dry-run --ignore-installed --quiet --report "$LOG_DIR/torch-report.json" \
      "torch==$TORCH_VERSION"
}

# Prints "cpu VERSION" or "cuda VERSION COUNT": the kind of wheel in pip's report.
read_pip_report() {
  /usr/bin/python3 - "$LOG_DIR/torch-report.json" <<'PYTHON'
import json, sys
packages = [item["metadata"] for item in json.load(open(sys.argv[1]))["install"]]
version = next(p["version"] for p in packages if p["name"] == "torch")
cuda = [p["name"] for p in packages if p["name"].startswith(("nvidia-", "cuda-"))]
print(f"cuda {version} {len(cuda)}" if cuda and "+cpu" not in version else f"cpu {version}")
PYTHON
}

# choose_torch auto|pip|apt|none|PATH: sets TORCH to what CMake's FLEETMARK_TORCH takes, and says why.
choose_torch() {
  local kind version count log=$LOG_DIR/torch-choice.log
  TORCH=$1
  case $1 in
    pip | apt | none) announce "LibTorch: $1, as asked for" ;;
    auto)
      announce "Choosing LibTorch: pip's wheel where it is a CPU build or a GPU wants it, else Debian's"
      if has_torch_wheel; then
        TORCH=pip
        say "    pip: PyTorch $TORCH_VERSION is installed in build/torch-venv"
      elif ! run_in_group ask_pip >"$log" 2>&1; then
        TORCH=apt
        say "    apt: pip could not be asked for torch==$TORCH_VERSION: $(grep -m 1 -E 'Retrying|^ERROR' "$log" || grep -v '^$' "$log" | tail -n 1)"
      else
        read -r kind version count < <(read_pip_report) || true
        if [[ -z $kind ]]; then
          TORCH=apt
          say "    apt: pip's report on torch==$TORCH_VERSION could not be read; see ${log#"$ROOT"/}"
        elif [[ $kind == cpu ]]; then
          TORCH=pip
          say "    pip: its wheel $version is a CPU build"
        elif has_nvidia_gpu; then
          TORCH=pip
          say "    pip: its wheel $version is a CUDA build, and this machine has an NVIDIA GPU"
        else
          TORCH=apt
          say "    apt: pip's wheel $version would bring $count CUDA packages, and this machine has no NVIDIA GPU"
        fi
      fi
      ;;
    *)
      [[ -d $1 ]] || fail "--torch $1: not one of auto, pip, apt, none, and no such directory."
      TORCH=$(cd "$1" && pwd)
      announce "LibTorch: the one in $TORCH"
      ;;
  esac
}

# install_torch: what choose_torch chose.
install_torch() {
  case $TORCH in
    pip) has_torch_wheel || step torch-pip "Installing PyTorch $TORCH_VERSION from PyPI into build/torch-venv" install_torch_wheel ;;
    apt)
      install_packages "${APT_TORCH_PACKAGES[@]}"
      check_blas
      ;;
  esac
}

install_torch_wheel() {
  make_torch_venv &&
    "$TORCH_VENV/bin/pip" install --quiet --no-compile "torch==$TORCH_VERSION" "numpy==$NUMPY_VERSION"
}

# Debian's LibTorch takes whatever libblas.so.3 is; the reference implementation is forty times slower than OpenBLAS.
check_blas() {
  local library
  library=$(readlink -f "/usr/lib/$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)/libblas.so.3" || true)
  [[ $library == *openblas* ]] ||
    fail "libblas.so.3 is $library, not OpenBLAS: choose it with \"update-alternatives --config libblas.so.3-$(gcc -print-multiarch)\"."
}
