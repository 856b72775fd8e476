#include "common/settings.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_directory.h"

namespace fleetmark::fuzz {

// A daemon's configuration file, with a setting of each type.
void Fuzz_settings(std::string_view input) {
  static const ScratchDirectory directory;
  std::string text;
  int count = 0;
  double number = 0;
  bool is_on = false;
  std::vector<std::string> words;
  std::map<std::string, std::string> labels;
  Settings settings;
  settings.Add("listen", &text, "where");
  settings.Add("max-streams", &count, "how many");
  settings.Add("lease-s", &number, "how long");
  settings.Add("insecure", &is_on, "whether");
  settings.Add("runner", &words, "which");
  settings.Add("label", &labels, "what");
  settings.SetDefaultFile(directory.Write("config.toml", input));
  const Status status = settings.Resolve();
  Require(status.ok() || status.message().find("config.toml:") != std::string::npos, "a refusal names file and line");
  for (const auto& [key, value] : labels) Require(!key.empty(), "a label has a name");
}

}  // namespace fleetmark::fuzz
