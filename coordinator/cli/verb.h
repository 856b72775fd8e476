#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/cli/exit_code.h"

namespace CLI {
class App;
}

namespace fleetmark {

class Client;
class Console;
class Signals;

// What a verb runs with. `signals` is null where the process does not want them (tests).
struct Session {
  Console& console;
  Client& client;
  Signals* signals;
};

struct VerbHelp {
  std::string summary;               // one line of `fleetmark --help`
  std::string details;               // more of it for the verb's own --help; may be empty
  std::string example;               // a whole command line
  std::vector<ExitCode> exit_codes;  // beside 0, 2, 3 and 5, which every verb may exit with
};

// One verb: one object lives for one command line.
class Verb {
 public:
  virtual ~Verb() = default;
  virtual VerbHelp Help() const = 0;
  // Declares flags and arguments; they are written into this object.
  virtual void Declare(CLI::App* app) = 0;
  // Does it. A failed Status is printed by the caller, as text or as the one JSON document.
  virtual StatusOr<ExitCode> Run(Session& session) = 0;
};

struct NamedVerb {
  std::string name;
  std::unique_ptr<Verb> verb;
};

// A new object of every verb of verbs.def, in its order.
std::vector<NamedVerb> MakeVerbs();

}  // namespace fleetmark
