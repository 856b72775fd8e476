#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "common/status.h"

namespace fleetmark {

// What --output names: there whole or not at all. It is written as PATH.part, and Commit gives it its name; without
// Commit nothing is left behind. Every Status is INVALID_ARGUMENT and names the path and the system's own words.
class OutputFile {
 public:
  static StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ostream& stream() { return stream_; }
  // Whether all that was written so far could be.
  Status Check() const;
  // Nothing may be written afterwards.
  Status Commit();

 private:
  explicit OutputFile(const std::string& path);
  Status Cannot(const std::string& why) const;

  const std::string path_;
  const std::string partial_;
  std::ofstream stream_;
  bool is_done_ = false;
};

}  // namespace fleetmark
