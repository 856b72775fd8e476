#include "agent/sampler/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace fleetmark {
namespace {

constexpr size_t kKernelReadBytes = 16 << 10;

Status KernelFileError(const std::filesystem::path& path, int error) {
  const std::string message = path.string() + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ESRCH:
      return NotFound(message);
    case EACCES:
    case EPERM:
      return Status(StatusCode::kPermissionDenied, message);
    default:
      return Internal(message);
  }
}

}  // namespace

// Not through a stream: these files are many, small, read several times a second, and may fail while they are read.
StatusOr<std::string> ReadKernelFile(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return KernelFileError(path, errno);
  std::string text;
  std::array<char, kKernelReadBytes> buffer;
  while (true) {
    const ssize_t size = read(descriptor, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      const int error = errno;
      close(descriptor);
      if (size < 0) return KernelFileError(path, error);
      return text;
    }
    text.append(buffer.data(), static_cast<size_t>(size));
  }
}

StatusOr<double> ReadKernelNumber(const std::filesystem::path& path) {
  FLEETMARK_ASSIGN_OR_RETURN(const std::string text, ReadKernelFile(path));
  const std::vector<std::string_view> words = SplitWords(text);
  if (const auto number = words.size() == 1 ? NumberOf(words[0]) : std::nullopt) return *number;
  return Internal(path.string() + " holds no number");
}

std::string ReadKernelLine(const std::filesystem::path& path) {
  const auto text = ReadKernelFile(path);
  return text.ok() ? text->substr(0, text->find('\n')) : "";
}

v1::Sensor SensorState(const char* name, const Status& status) {
  v1::Sensor sensor;
  sensor.set_name(name);
  sensor.set_state(status.ok()                                      ? "ok"
                   : status.code() == StatusCode::kNotFound         ? "absent"
                   : status.code() == StatusCode::kPermissionDenied ? "forbidden"
                                                                    : "failed");
  sensor.set_why(status.message());
  return sensor;
}

std::vector<std::filesystem::path> NumberedEntries(const std::filesystem::path& directory, std::string_view prefix) {
  std::vector<std::pair<int, std::filesystem::path>> found;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename();
    if (name.size() <= prefix.size() || name.compare(0, prefix.size(), prefix) != 0) continue;
    int number = 0;
    const char* end = name.data() + name.size();
    if (std::from_chars(name.data() + prefix.size(), end, number).ptr == end)
      found.emplace_back(number, entries->path());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::filesystem::path> paths;
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

void ForEachLine(std::string_view text, const std::function<void(std::string_view line)>& take) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::string_view> SplitWords(std::string_view line) {
  constexpr std::string_view kBlank = " \t\n";
  std::vector<std::string_view> words;
  for (size_t at = line.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlank, end);
  }
  return words;
}

std::optional<double> NumberOf(std::string_view word) {
  double number = 0;
  const char* end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

}  // namespace fleetmark
