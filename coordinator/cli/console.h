#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/render/terminal.h"

namespace google::protobuf {
class Message;
}

namespace fleetmark {

// Where a verb writes. With `json` exactly one document goes to `out` and everything else is left out; without, `out`
// gets text for people. Not thread-safe.
class Console {
 public:
  // `measure` is asked anew whenever the window may have changed.
  Console(std::ostream& out, std::ostream& err, std::function<Terminal()> measure, const Clock& clock, bool json)
      : out_(out), err_(err), measure_(std::move(measure)), clock_(clock), json_(json) {}

  bool json() const { return json_; }
  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }
  Terminal terminal() const { return measure_(); }
  double NowUnixS() const { return clock_.Now().unix_s(); }

  // The one document of --json.
  void PrintDocument(const google::protobuf::Message& document);
  // "error: ..." and "hint: ..." on `err`, or the one document on `out`.
  void PrintError(const Status& status);

 private:
  std::ostream& out_;
  std::ostream& err_;
  std::function<Terminal()> measure_;
  const Clock& clock_;
  bool json_;
};

}  // namespace fleetmark
