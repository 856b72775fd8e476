#!/usr/bin/env bash
# Installs what is needed, builds, and runs every test and check. Ends with ctest's summary of the main build.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../deploy/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../deploy/setup.sh"

# Test programs for ThreadSanitizer: gRPC's and LibTorch's own threads are not instrumented, so theirs stay out, and so
# does what has no thread at all: the cores, the sensors, base_test, common_test and worker_core_test.
readonly THREAD_TESTS=(database_test journal_test sampler_test worker_process_test agent_loop_test coordinator_loop_test
  coordinator_store_test worker_threads_test)
# What those leave out since it has no thread, or hardly one: under ThreadSanitizer in part tsan-all alone.
readonly UNTHREADED_TESTS=(agent_core_test base_test ceiling_book_test common_test coordinator_boards_test
  coordinator_core_test data_sets_test gpu_sensors_test verdict_test worker_core_test)
# Integration tests that need LibTorch, or build something, or leave what ends unwatched (docs_test, the README's commands).
readonly NOT_UNDER_ASAN='^integration\.(docs_test|test_scripts|test_runtimes|test_measurement)\.'
# What part asan-ubsan has run is not compiled and run once more without sanitizers, but for base_test and verdict_test:
# of the traces that these try, a sanitizer has time for a tenth.
readonly RUN_UNDER_ASAN='^(agent|ceiling|common|coordinator|data|gpu|interleavings|journal|protocol|rpc|sampler|worker_(core|process|threads))'
readonly DEFAULT_PARTS=(format tsan asan-ubsan worker quickstart main)

usage() {
  cat <<'TEXT'
Usage: tests/run.sh [PART...]

Parts, each in its own folder under build/; by default all but tidy, asan-ubsan-cli, asan-ubsan-integration, tsan-all, fuzz
and worker-all, for their time:
  format      clang-format and shellcheck
  tidy        clang-tidy over every source file of ours that includes no LibTorch; ten minutes and more
  tsan        ThreadSanitizer: the tests that need neither gRPC nor LibTorch and have threads, and
  tsan-all    the others that need neither; two minutes
  asan-ubsan  AddressSanitizer and UndefinedBehaviorSanitizer: every unit test that needs no LibTorch, but for
  asan-ubsan-cli  those of the command line; two minutes
  asan-ubsan-integration  the integration tests, but for those of LibTorch, with daemons and command line built so; ten minutes
  fuzz        every target of tests/fuzz under libFuzzer, FUZZ_SECONDS in all (60 by default); the first build takes two
              minutes. asan-ubsan runs the same targets on their corpora
  worker      the worker alone (FLEETMARK_ONLY=worker) with Debian's LibTorch: the program itself, and
  worker-all  its unit tests; two minutes
  quickstart  deploy/quickstart.sh --exit: the main job on real MNIST, in build/release
  main        build/release, with the LibTorch that --torch auto chooses: conformance and integration tests, and the unit
              tests that asan-ubsan has not run
TEXT
}

PARTS=()
while (($#)); do
  case $1 in
    format | tidy | tsan | tsan-all | asan-ubsan | asan-ubsan-cli | asan-ubsan-integration | fuzz | worker | worker-all | \
      quickstart | main) PARTS+=("$1") ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'error: unknown part %s.\n\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
((${#PARTS[@]})) || PARTS=("${DEFAULT_PARTS[@]}")

LOG_DIR=$ROOT/build/test-logs
mkdir -p "$LOG_DIR"
rm -f "$LOG_DIR/ctest.log"
trap 'trap "" INT TERM; stop_step' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$ROOT"

# Our sources, without generated code.
sources() { git ls-files --cached --others --exclude-standard -- "$@"; }

check_format() { sources '*.cc' '*.h' | xargs clang-format --dry-run -Werror; }
check_shell() { sources '*.sh' .ci/run | xargs shellcheck -x -S warning; }

# clang-tidy reads the flags from a configured build whose generated headers exist, file by file: it also sees which file
# lacks an include that the others of a joined build bring along.
run_tidy() {
  cmake --build build/tidy --target fleetmark_proto build_info_values &&
    sources 'common/*.cc' 'agent/*.cc' 'coordinator/*.cc' | grep -v '^agent/worker/' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p build/tidy --quiet
}

# build DIRECTORY TARGET... with the options already configured.
build() {
  local directory=$1
  shift
  cmake --build "build/$directory" --target "$@"
}

run_ctest() {
  local directory=$1
  shift
  ctest --test-dir "build/$directory" --output-on-failure --parallel "$(nproc)" --no-tests=error "$@" | tee "$LOG_DIR/ctest.log"
}

part_format() {
  step format "Checking the format of C++ sources" check_format
  step shellcheck "Checking shell scripts" check_shell
}

part_tidy() {
  step tidy-configure "Configuring build/tidy" cmake --preset dev -B build/tidy -DFLEETMARK_TORCH=none
  step tidy "clang-tidy" run_tidy
}

part_tsan() {
  step tsan-configure "Configuring build/tsan" cmake --preset tsan
  step tsan-build "Building what runs under ThreadSanitizer: ${THREAD_TESTS[*]}" build tsan "${THREAD_TESTS[@]}"
  shown_step "Testing under ThreadSanitizer" run_ctest tsan -R "^($(IFS='|' && printf '%s' "${THREAD_TESTS[*]}"))\\."
}

part_tsan-all() {
  part_tsan
  step tsan-all-build "Building the rest of them: ${UNTHREADED_TESTS[*]}" build tsan "${UNTHREADED_TESTS[@]}"
  shown_step "Testing the rest under ThreadSanitizer" run_ctest tsan -R "^($(IFS='|' && printf '%s' "${UNTHREADED_TESTS[*]}"))\\."
}

part_asan-ubsan() {
  step asan-ubsan-configure "Configuring build/asan-ubsan" cmake --preset asan-ubsan
  step asan-ubsan-build "Building with AddressSanitizer and UndefinedBehaviorSanitizer" build asan-ubsan daemon_unit_tests
  shown_step "Testing under AddressSanitizer and UndefinedBehaviorSanitizer" run_ctest asan-ubsan -LE integration -E '^cli_'
}

part_asan-ubsan-cli() {
  step asan-ubsan-configure "Configuring build/asan-ubsan" cmake --preset asan-ubsan
  step asan-ubsan-cli-build "Building the command line with the same" build asan-ubsan unit_tests
  shown_step "Testing the command line under the same" run_ctest asan-ubsan -LE integration -R '^cli_'
}

# A daemon's report goes to a file: what it prints belongs to a test, and a test may expect it to die.
run_integration_under_asan() {
  local reports=$ROOT/build/asan-ubsan/reports status=0
  rm -rf "$reports"
  mkdir -p "$reports"
  ASAN_OPTIONS=detect_leaks=1:log_path=$reports/asan UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/ubsan \
    run_ctest asan-ubsan -L integration -E "$NOT_UNDER_ASAN" || status=$?
  cat "$reports"/* 2>/dev/null && return 1
  return "$status"
}

part_asan-ubsan-integration() {
  step asan-ubsan-configure "Configuring build/asan-ubsan" cmake --preset asan-ubsan
  step asan-ubsan-integration-build "Building daemons and command line with the same" build asan-ubsan \
    fleetmark fleetmark-agent fleetmark-coordinator fake_runner reflection_client step_statistics shifted_clock \
    fleetmark-{agent,coordinator,cli}-ahead-{1,2}
  shown_step "Integration tests of daemons with AddressSanitizer and UndefinedBehaviorSanitizer" run_integration_under_asan
}

# One after the other, each from its corpus; what is new in build/fuzz/new helps the next time, and a finding stays in
# build/fuzz/findings.
run_fuzzers() {
  local targets target
  mapfile -t targets < <(sed -n 's/^FLEETMARK_FUZZ_TARGET(\(.*\))$/\1/p' tests/fuzz/targets.def)
  local seconds=$(((${FUZZ_SECONDS:-60} + ${#targets[@]} - 1) / ${#targets[@]}))
  mkdir -p build/fuzz/findings
  for target in "${targets[@]}"; do
    mkdir -p "build/fuzz/new/$target"
    printf '%s: ' "$target"
    if ! build/fuzz/tests/fleetmark-fuzz "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
      -dict=tests/fuzz/words.dict -artifact_prefix="build/fuzz/findings/$target-" -print_final_stats=1 \
      "build/fuzz/new/$target" "tests/fuzz/corpus/$target" >"$LOG_DIR/fuzz-$target.log" 2>&1; then
      printf 'a finding, see %s\n' "$LOG_DIR/fuzz-$target.log"
      tail -n 40 "$LOG_DIR/fuzz-$target.log"
      return 1
    fi
    grep -o 'number_of_executed_units.*' "$LOG_DIR/fuzz-$target.log"
  done
}

part_fuzz() {
  install_packages "${FUZZ_PACKAGES[@]}"
  step fuzz-configure "Configuring build/fuzz" cmake --preset fuzz
  step fuzz-build "Building the fuzz targets with clang" cmake --build --preset fuzz
  shown_step "Fuzzing for ${FUZZ_SECONDS:-60} s" run_fuzzers
}

part_worker() {
  if [[ $TORCH == apt ]]; then
    announce "The worker alone: left out, the main build has Debian's LibTorch already"
    return
  fi
  install_packages "${APT_TORCH_PACKAGES[@]}"
  check_blas
  step worker-configure "Configuring the worker alone with Debian's LibTorch in build/worker" \
    cmake --preset release -B build/worker -DFLEETMARK_ONLY=worker -DFLEETMARK_TORCH=apt
  step worker-build "Building the worker alone" build worker fleetmark-worker worker_program_test
  shown_step "Testing the worker with Debian's LibTorch" run_ctest worker -R '^worker_program_test'
}

part_worker-all() {
  part_worker
  step worker-all-build "Building the rest of its tests" build worker all
  shown_step "Testing all of it with Debian's LibTorch" run_ctest worker
}

# The first of the README's commands, with the real MNIST.
part_quickstart() {
  shown_step "Running deploy/quickstart.sh --exit" deploy/quickstart.sh --exit
}

part_main() {
  step main-configure "Configuring build/release with LibTorch from $TORCH" \
    cmake --preset release -DFLEETMARK_TESTS=ON -DFLEETMARK_TORCH="$TORCH" -DFLEETMARK_TESTS_LEFT_OUT="$RUN_UNDER_ASAN"
  step main-build "Building everything" build release all
  shown_step "Running all tests" run_ctest release
}

STARTED=$(date +%s.%N)
install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
choose_torch auto
install_torch
for PART in "${PARTS[@]}"; do
  "part_$PART"
done
say ""
say "Parts ${PARTS[*]} passed in $(seconds_since "$STARTED") s."
[[ ! -f $LOG_DIR/ctest.log ]] || grep -E 'tests passed|Total Test time' "$LOG_DIR/ctest.log" | tail -n 2
