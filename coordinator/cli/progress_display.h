#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "coordinator/cli/console.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

enum class ProgressMode {
  kNone,   // says nothing (notes go to `err` all the same)
  kLines,  // a line for each change, and now and then one of progress: for pipes and logs
  kLive,   // lines that are redrawn in place: for terminals
};

// Shows runs while they are watched. Live, a run that ends leaves a line that stays; under those stand the runs that
// have not ended, as many as the window holds. Thread-safe.
class ProgressDisplay {
 public:
  ProgressDisplay(Console& console, ProgressMode mode) : console_(console), mode_(mode) {}

  void Update(const v1::RunUpdate& update);
  // One line on `err` that is not about a run.
  void Note(const std::string& text);
  // After the window changed its size.
  void Redraw();
  // Takes away what is drawn in place; call it when the watch is over.
  void Finish();

 private:
  struct Entry {
    v1::RunUpdate update;
    double told_unix_s = 0;  // kLines: when its progress was last told
    bool is_told = false;    // that it has ended
  };
  void TellLine(Entry* entry, bool is_change);
  void Draw(bool is_urgent);
  void Erase();
  std::vector<std::string> Area(const Terminal& terminal) const;
  int LabelWidth() const;

  Console& console_;
  const ProgressMode mode_;
  std::mutex mutex_;
  std::vector<std::string> order_;  // run ids as they came
  std::map<std::string, Entry> entries_;
  std::vector<int> drawn_widths_;  // columns of each line that is drawn in place
  double drawn_unix_s_ = 0;
};

}  // namespace fleetmark
