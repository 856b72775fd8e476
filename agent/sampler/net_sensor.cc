#include "agent/sampler/counter_rate.h"
#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

class NetSensor final : public Sensor {
 public:
  explicit NetSensor(std::filesystem::path root) : root_(std::move(root)) {}
  const char* name() const override { return "net"; }

  void Begin(const SensorSubject&) override {
    received_.Clear();
    sent_.Clear();
  }

  // "  eth0: 1234 ...": bytes received come first, bytes sent behind seven more of the former kind.
  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
    const auto text = ReadKernelFile(root_ / "proc/net/dev");
    if (!text.ok()) return SensorState(name(), text.status());
    std::optional<double> received, sent;
    bool has_interfaces = false;
    ForEachLine(*text, [&](std::string_view line) {
      const size_t colon = line.find(':');
      if (colon == std::string_view::npos) return;  // the table's head
      const std::vector<std::string_view> names = SplitWords(line.substr(0, colon));
      const std::vector<std::string_view> counts = SplitWords(line.substr(colon + 1));
      constexpr size_t kReceived = 0, kSent = 8;
      if (names.size() != 1 || names[0] == "lo" || counts.size() <= kSent) return;
      has_interfaces = true;
      const std::string interface(names[0]);
      if (const auto bytes = NumberOf(counts[kReceived])) received_.AddTo(&received, now_s, interface, *bytes);
      if (const auto bytes = NumberOf(counts[kSent])) sent_.AddTo(&sent, now_s, interface, *bytes);
    });
    if (!has_interfaces) return SensorState(name(), NotFound("/proc/net/dev names no interface but lo"));
    if (received) readings->push_back({telemetry::kNetReceive.name, telemetry::kNetReceive.unit, *received});
    if (sent) readings->push_back({telemetry::kNetSend.name, telemetry::kNetSend.unit, *sent});
    return SensorState(name(), OkStatus());
  }

 private:
  const std::filesystem::path root_;
  CounterRates received_, sent_;
};

}  // namespace

std::unique_ptr<Sensor> MakeNetSensor(std::filesystem::path root) {
  return std::make_unique<NetSensor>(std::move(root));
}

}  // namespace fleetmark
