#pragma once

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/status.h"

namespace CLI {
class App;
}

namespace fleetmark {

// The settings of one program. Each is declared once and can then be given as a flag (--state-dir), in the environment
// (FLEETMARK_STATE_DIR) and in the TOML file that --config names (state-dir = "..."; lists are arrays, maps are
// tables). Flag beats environment beats file beats default. A key in the file that no setting has is an error with a
// suggestion. In the environment lists and maps are separated by commas.
class Settings {
 public:
  // Values are written in place. `name` is the flag without dashes. The destinations must outlive this object.
  void Add(const std::string& name, std::string* value, const std::string& doc);
  void Add(const std::string& name, int* value, const std::string& doc);
  void Add(const std::string& name, double* value, const std::string& doc);
  void Add(const std::string& name, bool* value, const std::string& doc);
  void Add(const std::string& name, std::vector<std::string>* value, const std::string& doc);
  // A flag --name KEY=VALUE that can be given several times.
  void Add(const std::string& name, std::map<std::string, std::string>* value, const std::string& doc);

  // Makes a flag of each setting, and --config.
  void AddTo(CLI::App* app);

  // The file that is read when neither --config nor FLEETMARK_CONFIG names one; it need not exist.
  void SetDefaultFile(std::string path) { default_file_ = std::move(path); }

  // After the command line was parsed: fills what no flag gave from the environment, then from the file.
  Status Resolve();

 private:
  using Target =
      std::variant<std::string*, int*, double*, bool*, std::vector<std::string>*, std::map<std::string, std::string>*>;
  struct Setting {
    std::string name;
    Target target;
    std::string doc;
    std::vector<std::string> given;  // as flags
    bool is_given = false;
  };
  static Status Assign(const Setting& setting, const std::vector<std::string>& words, const std::string& place);
  Status ResolveFile();

  std::vector<Setting> settings_;
  std::string config_file_;
  std::string default_file_;
};

}  // namespace fleetmark
