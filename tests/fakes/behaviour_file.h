#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

namespace fleetmark {

// How a fake driver's library is to behave: lines "key value" of a file that a test writes, whole or not at all, and
// may change at any time. A quantity without a line is not supported.
//   code.FUNCTION 4     the function returns 4
//   hang FUNCTION       the function returns once the file says something else, and makes FILE.hangs meanwhile
class BehaviourFile {
 public:
  // The file that the environment variable `variable` names.
  explicit BehaviourFile(const char* variable) : path_(std::getenv(variable)) { Load(); }

  bool Has(const std::string& key) const { return lines_.count(key) != 0; }
  std::string Text(const std::string& key) const { return Has(key) ? lines_.at(key) : ""; }
  int64_t Number(const std::string& key) const { return Has(key) ? std::stoll(lines_.at(key), nullptr, 0) : 0; }

  // What `function` must do before it does its work: hang, or return another code than 0.
  int Enter(const std::string& function) {
    while (Has("hang") && Text("hang") == function) {
      std::ofstream(path_ + ".hangs").flush();
      usleep(1000);
      Load();
    }
    return static_cast<int>(Number("code." + function));
  }

 private:
  void Load() {
    lines_.clear();
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) {
      const size_t space = line.find(' ');
      lines_[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
    }
  }

  std::string path_;
  std::map<std::string, std::string> lines_;
};

}  // namespace fleetmark
