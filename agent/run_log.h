#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace fleetmark::agent {

// What one worker writes to stdout and stderr, kept in a file of bounded size: its beginning, and when there is more a
// note and its end. Losing log lines (a full disk) never ends a run. Not thread-safe.
class RunLog {
 public:
  static constexpr size_t kHeadLimit = size_t{1} << 20;
  static constexpr size_t kTailLimit = size_t{64} << 10;

  explicit RunLog(const std::filesystem::path& path);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void Append(std::string_view bytes);
  // Adds note and end where the head was not all.
  void Finish();
  // The last bytes, for a report; at most `limit`, from the start of a line where one begins.
  std::string Tail(size_t limit) const;
  // Of the file.
  size_t file_bytes() const { return file_bytes_; }

 private:
  void Write(std::string_view bytes);

  int descriptor_ = -1;
  size_t file_bytes_ = 0;
  size_t total_bytes_ = 0;
  std::string tail_;
};

}  // namespace fleetmark::agent
