// A runner that answers at once: what is left of a run is Fleetmark's own part. Its one metric is the moment, in Unix
// seconds, at which its main began.
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/worker_protocol.h"

namespace {

constexpr char kDescription[] =
    R"({"runtime":"instant","runtime_version":"1",)"
    R"("devices":[{"name":"cpu","kind":"cpu","model":"any","uuid":"cpu"}],)"
    R"("workloads":[{"name":"noop","version":1,"doc":"Nothing","device_kinds":["cpu"],)"
    R"("metrics":[{"name":"main_unix_s","unit":"s","aggregate":"last","doc":"when main began"}]}]})"
    "\n";

void Write(int descriptor, const std::string& text) {
  if (write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (argc == 2 && std::strcmp(argv[1], "describe") == 0) {
    Write(STDOUT_FILENO, kDescription);
    return 0;
  }
  const char* variable = std::getenv(fleetmark::kEventFdVariable);
  const int events = variable == nullptr ? STDOUT_FILENO : std::atoi(variable);
  char metric[200];
  std::snprintf(metric, sizeof metric, R"({"metric":{"name":"main_unix_s","unit":"s","value":%lld.%09ld}})",
                static_cast<long long>(now.tv_sec), now.tv_nsec);
  Write(events, std::string(R"({"started":{"environment":{"runtime":"instant"}}})") + "\n" + metric + "\n" +
                    R"({"result":{"primary_metric":"main_unix_s","stop_reason":"steps","steps":1}})" + "\n");
  return 0;
}
