#include "coordinator/cli/render/tune_report.h"

#include "common/time_text.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

// "1.52" and "1.49 to 1.60".
std::string Times(double ratio) { return FormatFixed(ratio, 2); }

Style StyleOf(const std::string& verdict) {
  if (verdict == "kept") return Style::kBold;
  return verdict == "excluded" ? Style::kDim : Style::kPlain;
}

// Of the profile's settings against stock's and against the workload's own tuned ones.
std::string GainOf(const v1::TunedProfile& profile) {
  for (const v1::TunedCandidate& candidate : profile.tried()) {
    if (candidate.verdict() == "kept" && candidate.has_ratio()) return Times(candidate.ratio());
  }
  return "";
}

}  // namespace

std::string RenderTried(const v1::TunedProfile& profile, const Terminal& terminal) {
  std::string metric = profile.metric();
  for (char& letter : metric) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  Table table({{"CANDIDATE", kEssential, 16},
               {metric, 95, 0, Align::kRight},
               {"VS STOCK", kEssential, 0, Align::kRight},
               {"RANGE", 85},
               {"ROUNDS", 50, 0, Align::kRight},
               {"LOSS", 60, 0, Align::kRight},
               {"LOSS IS", 70},
               {"VERDICT", 90},
               {"WHY", 80, 16}});
  for (const v1::TunedCandidate& row : profile.tried()) {
    const Style style = StyleOf(row.verdict());
    table.AddRow({{row.name(), style},
                  row.has_value() ? FormatNumber(row.value()) : "",
                  {row.has_ratio() ? Times(row.ratio()) : "", style},
                  row.has_ratio() ? Times(row.ratio_low()) + " to " + Times(row.ratio_high()) : "",
                  row.rounds() > 0 ? std::to_string(row.rounds()) : "",
                  row.has_loss() ? FormatNumber(row.loss()) : "",
                  row.loss_check() == "none" ? "" : row.loss_check(),
                  {row.verdict(), style},
                  row.why()});
  }
  return table.Render(terminal);
}

std::string RenderProfiles(const v1::ListProfilesResponse& list, const Terminal& terminal, double now_unix_s) {
  Table table({{"WORKLOAD"},
               {"ON", kEssential, 8},
               {"DEVICE", 80},
               {"RUNTIME", 70},
               {"BOARD", 75, 12},
               {"SETTINGS", 95, 16},
               {"VS STOCK", 85, 0, Align::kRight},
               {"KEPT", 50}});
  for (const v1::TunedProfile& profile : list.profiles()) {
    table.AddRow({profile.workload(), profile.agent(), profile.device(), profile.runtime(), profile.board(),
                  profile.settings().empty() ? "the workload's own" : JoinParameters(profile.settings()),
                  GainOf(profile), FormatTimeBriefly(profile.kept_unix_s(), now_unix_s)});
  }
  return table.Render(terminal);
}

}  // namespace fleetmark
