#include "tests/simulation/explorer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/simulation/way.h"

namespace fleetmark::simulation {
namespace {

constexpr int kDoubtedSteps = 4;
using Path = std::vector<Choice>;

class Explorer {
 public:
  Explorer(const Model& model, int threads, std::ostream* trace) : model_(model), threads_(threads), trace_(trace) {}

  // A world cannot be copied: for each choice but the first of a state its way is walked anew from the beginning. The
  // states that are nearest to it come first, so that those ways are short.
  Explored Explore() {
    open_.push_back({kNone, {}});
    std::vector<std::thread> threads;
    for (int i = 0; i < threads_; ++i) threads.emplace_back([this] { WalkAll(); });
    for (std::thread& thread : threads) thread.join();
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

  // Until nothing is open and nobody may open anything any more.
  void WalkAll() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!found_.is_whole || (open_.empty() && walking_ == 0)) {
        changed_.notify_all();
        return;
      }
      if (open_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const Arrival arrival = open_.front();
      open_.pop_front();
      Path path = WayTo(arrival);
      ++walking_;
      lock.unlock();
      try {
        Walk(arrival.from, &path);
      } catch (const Violation& violation) {
        Tell(path, violation);
      }
      lock.lock();
      --walking_;
    }
  }

  // To the end of `path`, whose last choice was made in state `from`, and on from there by the first choice of each
  // state until one comes that is known.
  void Walk(State from, Path* path) {
    Way way(model_, nullptr);
    bool is_reached = true;
    for (const Choice& choice : *path) is_reached = way.Take(choice);
    while (is_reached) {
      if (from != kNone && path->back().kind == Choice::Kind::kCrash) {
        Choice later = path->back();
        ++later.point;
        Open(from, {later});
      }
      if (path->size() > kMostChoices) throw Violation{10, "what was submitted does not end"};
      const std::optional<State> entered = Enter({from, path->empty() ? Choice() : path->back()}, &way, *path);
      if (!entered) return;
      from = *entered;
      if (way.IsOver()) return way.world().Finish();
      std::vector<Choice> choices = way.Choices();
      path->push_back(choices.front());
      is_reached = way.Take(choices.front());
      choices.erase(choices.begin());
      Open(from, choices);
    }
  }

  void Open(State from, const std::vector<Choice>& choices) {
    const std::lock_guard lock(mutex_);
    for (const Choice& choice : choices) open_.push_back({from, choice});
    if (!choices.empty()) changed_.notify_all();
  }

  // The state to which `path` has led; nothing when it is known, or the search was stopped.
  std::optional<State> Enter(const Arrival& arrival, Way* way, const Path& path) {
    const uint64_t fingerprint = way->Fingerprint();
    std::unique_lock lock(mutex_);
    if (states_.size() >= model_.most_states) found_.is_whole = false;
    if (!found_.is_whole) return std::nullopt;
    const auto [known, is_new] = known_.try_emplace(fingerprint, static_cast<State>(states_.size()));
    const State state = known->second;
    if (arrival.from != kNone) transitions_.push_back({arrival.from, state});
    if (!is_new) {
      if (!model_.is_doubted) return std::nullopt;
      const Path other = WayTo(states_[state]);
      lock.unlock();
      CheckAlike(other, path);
      return std::nullopt;
    }
    states_.push_back(arrival);
    found_.depth = std::max(found_.depth, path.size());
    if (way->IsOver()) {
      ends_.push_back(state);
      ++found_.ends;
    }
    return state;
  }

  Path WayTo(Arrival arrival) const {
    Path path;
    for (; arrival.from != kNone; arrival = states_[arrival.from]) path.push_back(arrival.by);
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
    Tell(WayTo(states_[static_cast<size_t>(stuck - reaches.begin())]), {10, "from here on no end can be reached"});
  }

  void Tell(const Path& path, const Violation& violation) {
    const std::lock_guard lock(mutex_);
    if (found_.violation) return;
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
  const int threads_;
  std::ostream* const trace_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  int walking_ = 0;                            // threads
  std::deque<Arrival> open_;                   // not walked yet
  std::unordered_map<uint64_t, State> known_;  // by fingerprint
  std::vector<Arrival> states_;
  std::vector<std::pair<State, State>> transitions_;
  std::vector<State> ends_;
  Explored found_;
};

}  // namespace

Explored Explore(const Model& model, int threads, std::ostream* trace) {
  return Explorer(model, threads, trace).Explore();
}

}  // namespace fleetmark::simulation
