#include "coordinator/records.h"

#include <array>

namespace fleetmark {
namespace {

constexpr std::array<std::string_view, 7> kRunStates = {"queued",    "running",   "succeeded",  "failed",
                                                        "cancelled", "timed_out", "interrupted"};
constexpr std::array<std::string_view, 5> kAttemptStates = {"dispatched", "running", "result_ready", "stored",
                                                            "refused"};

template <typename State, size_t n>
std::optional<State> Parse(const std::array<std::string_view, n>& names, std::string_view name) {
  for (size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<State>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view RunStateName(RunState state) { return kRunStates[static_cast<size_t>(state)]; }
std::string_view AttemptStateName(AttemptState state) { return kAttemptStates[static_cast<size_t>(state)]; }
std::optional<RunState> ParseRunState(std::string_view name) { return Parse<RunState>(kRunStates, name); }
std::optional<AttemptState> ParseAttemptState(std::string_view name) {
  return Parse<AttemptState>(kAttemptStates, name);
}

}  // namespace fleetmark
