#include "tests/simulation/apart.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/way.h"

namespace fleetmark::simulation {
namespace {

constexpr int kMostPoint = 6;

// One agent's part of a way, with the others standing still since the beginning.
class Part {
 public:
  Part(const Model& model, int agent) : model_(model), agent_(agent), way_(std::make_unique<Way>(model, nullptr)) {}

  // False when it does not come to a part with this fingerprint.
  bool Follow(const Taken& taken, uint64_t fingerprint) {
    const bool is_crash = taken.choice.kind == Choice::Kind::kCrash;
    const bool is_mine = taken.party.agent < 0 || taken.party.agent == agent_;
    if (!is_crash) return Try({taken, std::nullopt}, fingerprint);
    if (taken.party.kind == Party::Kind::kAgent) {
      return Try({taken, is_mine ? std::optional<int>(taken.choice.point) : std::nullopt}, fingerprint);
    }
    // The coordinator's turn may have been about others, too: then it had made fewer commits and effects for this one.
    for (int point = taken.choice.point; point >= 0; --point) {
      if (Try({taken, point}, fingerprint)) return true;
      Rewind();
    }
    return false;
  }

 private:
  struct Step {
    Taken taken;
    std::optional<int> point;
  };

  bool Try(const Step& step, uint64_t fingerprint) {
    way_->Follow(step.taken, agent_, step.point);
    if (way_->FingerprintOf(agent_) != fingerprint) return false;
    steps_.push_back(step);
    return true;
  }

  void Rewind() {
    way_ = std::make_unique<Way>(model_, nullptr);
    for (const Step& step : steps_) way_->Follow(step.taken, agent_, step.point);
  }

  const Model model_;
  const int agent_;
  std::unique_ptr<Way> way_;
  std::vector<Step> steps_;
};

Choice Pick(const std::vector<Choice>& choices, double fault_share, Dice* dice) {
  std::vector<Choice> fitting;
  const bool is_fault = dice->Chance(fault_share);
  for (const Choice& choice : choices) {
    if ((choice.kind != Choice::Kind::kHappen) == is_fault) fitting.push_back(choice);
  }
  if (fitting.empty()) fitting = choices;
  Choice picked = fitting[static_cast<size_t>(dice->Between(0, static_cast<int64_t>(fitting.size()) - 1))];
  if (picked.kind == Choice::Kind::kCrash) picked.point = static_cast<uint16_t>(dice->Between(0, kMostPoint));
  return picked;
}

void Compare(const Model& model, Dice* dice, std::ostream* trace, Compared* compared) {
  Way way(model, trace);
  std::vector<Part> parts;
  for (int agent = 0; agent < model.agents; ++agent) parts.emplace_back(model, agent);
  // Few, so that some come late.
  const double fault_share = static_cast<double>(dice->Between(1, 15)) / 100;
  for (size_t choices = 0; !way.IsOver(); ++choices) {
    if (choices > kMostChoices) throw Violation{10, "what was submitted does not end"};
    const bool is_reached = way.Take(Pick(way.Choices(), fault_share, dice));
    way.CatchUp();
    Taken taken = way.taken();
    if (!is_reached) taken.choice.kind = Choice::Kind::kHappen;
    ++compared->choices;
    compared->losses += taken.choice.kind == Choice::Kind::kLose;
    compared->deaths += taken.choice.kind == Choice::Kind::kDie || taken.choice.kind == Choice::Kind::kCrash;
    for (size_t agent = 0; agent < parts.size(); ++agent) {
      if (parts[agent].Follow(taken, way.FingerprintOf(static_cast<int>(agent)))) continue;
      throw Violation{0, "what agent " + std::to_string(agent) + " comes to depends on the others"};
    }
  }
  way.world().Finish();
}

}  // namespace

Compared CompareApart(const Model& model, size_t ways, uint64_t seed, std::ostream* trace) {
  Compared compared;
  for (; compared.ways < ways; ++compared.ways) {
    try {
      Dice dice(seed + compared.ways);
      Compare(model, &dice, nullptr, &compared);
    } catch (const Violation& violation) {
      compared.violation = violation;
      if (trace == nullptr) return compared;
      Dice again(seed + compared.ways);
      Compared ignored;
      try {
        Compare(model, &again, trace, &ignored);
      } catch (const Violation&) {
      }
      return compared;
    }
  }
  return compared;
}

}  // namespace fleetmark::simulation
