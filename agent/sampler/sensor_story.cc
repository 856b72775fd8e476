#include "agent/sampler/sensor_story.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace fleetmark {
namespace {

constexpr char kOk[] = "ok";

std::string SecondsText(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", seconds);
  return text;
}

std::string SpanText(double first_s, double last_s) {
  const std::string first = SecondsText(first_s), last = SecondsText(last_s);
  return first == last ? "at " + first : "from " + first + " to " + last;
}

}  // namespace

void SensorStory::Take(double at_s, v1::Sensor said) {
  const bool is_first = readings_ == 0;
  ++readings_;
  if (is_first || said.state() != last_.state()) {
    if (!is_first && last_.state() != kOk) Remember(now_);
    has_changed_ = !is_first;
    now_ = {said.state(), "", 0, at_s, at_s};
  }
  now_.why = said.why();
  now_.count += 1;
  now_.last_s = at_s;
  last_ = std::move(said);
}

void SensorStory::Slow(double at_s, double took_s) {
  Remember({"slow", "it did not answer for " + SecondsText(took_s), 1, at_s, at_s});
}

v1::Sensor SensorStory::Tell() const {
  v1::Sensor sensor = last_;
  std::string why = last_.why();
  if (has_changed_ && last_.state() != kOk) why = "since " + SecondsText(now_.first_s) + ": " + why;
  for (const Spell& trouble : troubles_) {
    why += (why.empty() ? "" : "; ") + trouble.word + " in " + std::to_string(trouble.count) + " of " +
           std::to_string(readings_) + " readings, " + SpanText(trouble.first_s, trouble.last_s) + ": " + trouble.why;
  }
  sensor.set_why(why);
  return sensor;
}

void SensorStory::Remember(const Spell& spell) {
  const auto known = std::find_if(troubles_.begin(), troubles_.end(),
                                  [&spell](const Spell& trouble) { return trouble.word == spell.word; });
  if (known == troubles_.end()) {
    troubles_.push_back(spell);
    return;
  }
  known->why = spell.why;
  known->count += spell.count;
  known->last_s = spell.last_s;
}

}  // namespace fleetmark
