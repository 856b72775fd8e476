#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "fleetmark/v1/run.pb.h"

// What the kernel says of itself in the files of /proc and /sys.
namespace fleetmark {

// NOT_FOUND where there is no such file (or device, or process any more), PERMISSION_DENIED where this user may not
// read it, else INTERNAL; each names the path and the system's own words.
StatusOr<std::string> ReadKernelFile(const std::filesystem::path& path);
// Of a file that holds one number and nothing else.
StatusOr<double> ReadKernelNumber(const std::filesystem::path& path);
// Of a file that holds one word or a few; "" where it cannot be read.
std::string ReadKernelLine(const std::filesystem::path& path);

// What a sensor says for itself: "ok", or "absent", "forbidden" or "failed" after the code of `status`, and its
// message.
v1::Sensor SensorState(const char* name, const Status& status);

// Entries of `directory` that are `prefix` and a number, "cpu0" and not "cpufreq", in the order of their numbers.
std::vector<std::filesystem::path> NumberedEntries(const std::filesystem::path& directory, std::string_view prefix);

void ForEachLine(std::string_view text, const std::function<void(std::string_view line)>& take);
// What lies between blanks and tabs.
std::vector<std::string_view> SplitWords(std::string_view line);
// Nothing where `word` is no plain number.
std::optional<double> NumberOf(std::string_view word);

}  // namespace fleetmark
