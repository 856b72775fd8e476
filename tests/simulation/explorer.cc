#include "tests/simulation/explorer.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/simulation/way.h"

namespace fleetmark::simulation {
namespace {

// Ways to an end are a few hundred steps long.
constexpr size_t kMostDepth = 2000;
constexpr int kDoubtedSteps = 4;
using Path = std::vector<Choice>;

class Explorer {
 public:
  Explorer(const Model& model, std::ostream* trace) : model_(model), trace_(trace) {}

  // Depth first. A world cannot be copied: for each choice but the first of a state its way is walked anew from the
  // beginning.
  Explored Explore() {
    open_ = {{}};
    while (!open_.empty() && found_.is_whole) {
      Path path = std::move(open_.back());
      open_.pop_back();
      try {
        Walk(&path);
      } catch (const Violation& violation) {
        Tell(path, violation);
      }
    }
    if (found_.is_whole) CheckEnds();
    found_.states = states_.size();
    found_.transitions = transitions_.size();
    return found_;
  }

 private:
  using State = uint32_t;  // index in states_
  static constexpr State kNone = 0xffffffff;
  struct Arrival {
    State from;
    Choice by;
  };

  // To the end of `path`, and on from there by the first choice of each state until one comes that is known.
  void Walk(Path* path) {
    Way way(model_, nullptr);
    State from = kNone;
    bool is_reached = true;
    for (size_t i = 0; i < path->size(); ++i) {
      if (i + 1 == path->size()) from = known_.at(way.Fingerprint());
      is_reached = way.Take((*path)[i]);
    }
    while (is_reached) {
      if (!path->empty() && path->back().kind == Choice::Kind::kCrash) {
        open_.push_back(*path);
        ++open_.back().back().point;
      }
      if (path->size() > kMostDepth) throw Violation{10, "what was submitted does not end"};
      if (states_.size() >= model_.most_states) found_.is_whole = false;
      if (!found_.is_whole) return;
      const auto [known, is_new] = known_.try_emplace(way.Fingerprint(), static_cast<State>(states_.size()));
      if (from != kNone) transitions_.push_back({from, known->second});
      if (!is_new) {
        if (model_.is_doubted) CheckAlike(WayTo(known->second), *path);
        return;
      }
      from = known->second;
      states_.push_back(path->empty() ? Arrival{kNone, {}} : Arrival{transitions_.back().first, path->back()});
      found_.depth = std::max(found_.depth, path->size());
      if (way.IsOver()) {
        ends_.push_back(from);
        ++found_.ends;
        return way.world().Finish();
      }
      const std::vector<Choice> choices = way.Choices();
      for (size_t i = 1; i < choices.size(); ++i) {
        open_.push_back(*path);
        open_.back().push_back(choices[i]);
      }
      path->push_back(choices.front());
      is_reached = way.Take(choices.front());
    }
  }

  Path WayTo(State state) const {
    Path path;
    for (; states_[state].from != kNone; state = states_[state].from) path.push_back(states_[state].by);
    std::reverse(path.begin(), path.end());
    return path;
  }

  using Successors = std::map<uint64_t, Choice>;  // by fingerprint

  // nullptr when its last choice, a crash, has no such point.
  std::unique_ptr<Way> Walked(const Path& path) const {
    auto way = std::make_unique<Way>(model_, nullptr);
    bool is_reached = true;
    for (const Choice& choice : path) is_reached = way->Take(choice);
    return is_reached ? std::move(way) : nullptr;
  }

  Successors SuccessorsOf(Path path) const {
    Successors successors;
    const auto here = Walked(path);
    if (here->IsOver()) return successors;
    for (const Choice& choice : here->Choices()) {
      path.push_back(choice);
      for (; const auto there = Walked(path); ++path.back().point) {
        successors.emplace(there->Fingerprint(), path.back());
        if (choice.kind != Choice::Kind::kCrash) break;
      }
      path.pop_back();
    }
    return successors;
  }

  // Both ways lead to one state: whatever follows must be the same. What they hide from each other may show later.
  void CheckAlike(Path one, Path other) {
    for (int step = 0; step < kDoubtedSteps; ++step) {
      const Successors after_one = SuccessorsOf(one), after_other = SuccessorsOf(other);
      const auto is_same = [](const auto& a, const auto& b) { return a.first == b.first; };
      if (!std::equal(after_one.begin(), after_one.end(), after_other.begin(), after_other.end(), is_same)) {
        throw Violation{0, "two states that count as one have other successors"};
      }
      if (after_one.empty()) return;
      const auto chosen = static_cast<std::ptrdiff_t>(after_one.begin()->first % after_one.size());
      one.push_back(std::next(after_one.begin(), chosen)->second);
      other.push_back(std::next(after_other.begin(), chosen)->second);
    }
  }

  // Whatever has happened, an end can be reached.
  void CheckEnds() {
    std::vector<std::vector<State>> before(states_.size());
    for (const auto& [from, to] : transitions_) before[to].push_back(from);
    std::vector<bool> reaches(states_.size());
    std::vector<State> next = ends_;
    while (!next.empty()) {
      const State state = next.back();
      next.pop_back();
      if (reaches[state]) continue;
      reaches[state] = true;
      next.insert(next.end(), before[state].begin(), before[state].end());
    }
    const auto stuck = std::find(reaches.begin(), reaches.end(), false);
    if (stuck == reaches.end()) return;
    Tell(WayTo(static_cast<State>(stuck - reaches.begin())), {10, "from here on no end can be reached"});
  }

  void Tell(const Path& path, const Violation& violation) {
    found_.is_whole = false;
    found_.violation = violation;
    found_.depth = path.size();
    if (trace_ == nullptr) return;
    Way again(model_, trace_);
    try {
      for (const Choice& choice : path) again.Take(choice);
      again.world().Finish();
    } catch (const Violation&) {
    }
  }

  const Model model_;
  std::ostream* const trace_;
  std::vector<Path> open_;
  std::unordered_map<uint64_t, State> known_;  // by fingerprint
  std::vector<Arrival> states_;
  std::vector<std::pair<State, State>> transitions_;
  std::vector<State> ends_;
  Explored found_;
};

}  // namespace

Explored Explore(const Model& model, std::ostream* trace) { return Explorer(model, trace).Explore(); }

}  // namespace fleetmark::simulation
