#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <map>

#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

template <typename Words>
std::string Join(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// A bound as it was written, not with the digits of a measurement.
std::string Bound(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.10g", value);
  return buffer.data();
}

std::string Bounds(const v1::ParameterSpec& parameter) {
  if (!parameter.choices().empty()) return Join(parameter.choices());
  if (parameter.has_min() && parameter.has_max()) {
    return Bound(parameter.min()) + " to " + Bound(parameter.max());
  }
  if (parameter.has_min()) return "at least " + Bound(parameter.min());
  return parameter.has_max() ? "at most " + Bound(parameter.max()) : "";
}

std::string RenderList(const v1::ListWorkloadsResponse& list, const Terminal& terminal) {
  Table table({{"WORKLOAD"},
               {"VERSION", 30, 0, Align::kRight},
               {"RUNTIME", 80},
               {"DEVICES", 60},
               {"METRIC", 70},
               {"AGENTS", 50, 8},
               {"WHAT", 90, 20}});
  for (const v1::WorkloadOffer& offer : list.workloads()) {
    const v1::WorkloadSpec& spec = offer.spec();
    table.AddRow({spec.name(), std::to_string(spec.version()), offer.runtime(), Join(spec.device_kinds()),
                  spec.metrics().empty() ? "" : spec.metrics(0).name(), Join(offer.agents()), spec.doc()});
  }
  return table.Render(terminal);
}

const char* BoardText(const v1::ParameterSpec& parameter) {
  if (parameter.defines_board()) return "own";
  return parameter.tunable() ? "row" : "";
}

// "retain", or "cpu: fused" where kinds of devices differ.
std::string TunedText(const v1::ParameterSpec& parameter, const v1::WorkloadSpec& workload) {
  std::map<std::string, std::string> kinds;  // by value
  for (const auto& [kind, value] : std::map(parameter.tuned().begin(), parameter.tuned().end())) {
    kinds[value] += (kinds[value].empty() ? "" : ", ") + kind;
  }
  const bool is_same = kinds.size() == 1 && static_cast<int>(parameter.tuned().size()) == workload.device_kinds_size();
  if (is_same) return kinds.begin()->first;
  std::string text;
  for (const auto& [value, names] : kinds) text += (text.empty() ? "" : "; ") + names + ": " + value;
  return text;
}

std::string RenderOffer(const v1::WorkloadOffer& offer, const Terminal& terminal) {
  const v1::WorkloadSpec& spec = offer.spec();
  std::string text = Paint(Printable(spec.name()) + " v" + std::to_string(spec.version()), Style::kBold, terminal);
  text += "  " + Printable(offer.runtime()) + " on " + Join(spec.device_kinds()) + "\n";
  text += Wrap(Printable(spec.doc()), terminal.width, 0) + "\n";
  text += "can run on: " + (offer.agents().empty() ? "no agent now" : Printable(Join(offer.agents()))) + "\n\n";
  Table parameters({{"PARAMETER"},
                    {"TYPE", 70},
                    {"DEFAULT", 95},
                    {"TUNED", 75},
                    {"BOUNDS", 80, 10},
                    {"UNIT", 60},
                    {"BOARD", 40},
                    {"WHAT", 90, 20}});
  for (const v1::ParameterSpec& parameter : spec.parameters()) {
    parameters.AddRow({parameter.name(), parameter.type(), parameter.default_value(), TunedText(parameter, spec),
                       Bounds(parameter), parameter.unit(), BoardText(parameter), parameter.doc()});
  }
  if (!parameters.empty()) text += parameters.Render(terminal) + "\n";
  Table metrics({{"METRIC"}, {"UNIT", 80}, {"BETTER", 70}, {"REPETITIONS", 40}, {"WHAT", 90, 20}});
  for (const v1::MetricSpec& metric : spec.metrics()) {
    metrics.AddRow({metric.name(), metric.unit(), metric.better(), metric.aggregate(), metric.doc()});
  }
  return text + (metrics.empty() ? "" : metrics.Render(terminal));
}

class WorkloadsVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {
        "List the workloads, or show one with its parameters and metrics",
        "Values that differ in a parameter with BOARD \"own\" never share a leaderboard; those with \"row\" change how "
        "fast and not what is computed, and setting one makes a row beside the profile's.",
        "fleetmark workloads mnist_cnn",
        {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("name", name_, "The workload to show whole")->type_name("NAME");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    v1::ListWorkloadsRequest request;
    request.set_name(name_);
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListWorkloadsResponse list,
                               session.client.Call(&Client::Stub::ListWorkloads, request));
    Console& console = session.console;
    if (console.json()) {
      console.PrintDocument(list);
    } else if (list.workloads().empty()) {
      console.out() << "no workloads: no agent has been seen yet; see fleetmark agents\n";
    } else if (name_.empty()) {
      console.out() << RenderList(list, console.terminal());
    } else {
      for (const v1::WorkloadOffer& offer : list.workloads()) {
        console.out() << (&offer == &list.workloads(0) ? "" : "\n") << RenderOffer(offer, console.terminal());
      }
    }
    return ExitCode::kDone;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Verb> MakeWorkloads() { return std::make_unique<WorkloadsVerb>(); }

}  // namespace fleetmark
