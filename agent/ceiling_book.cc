#include "agent/ceiling_book.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/files.h"
#include "common/host_info.h"
#include "common/proto_json.h"
#include "common/vocabulary.h"

namespace fleetmark::agent {
namespace {

// Whether what was kept under `kept` still holds under `now`. Another runtime's measurement of the same device does.
bool StillHolds(const v1::CeilingConditions& kept, v1::CeilingConditions now) {
  if (kept.device_uuid() != now.device_uuid()) return true;  // of another device
  if (kept.runtime() != now.runtime()) {
    now.set_runtime(kept.runtime());
    now.set_runtime_version(kept.runtime_version());
    now.set_device_model(kept.device_model());  // each framework spells it in its own way
  }
  return google::protobuf::util::MessageDifferencer::Equals(kept, now);
}

template <typename Ceilings>
auto Find(Ceilings* ceilings, const v1::Ceiling& like) {
  return std::find_if(ceilings->begin(), ceilings->end(), [&like](const v1::Ceiling& ceiling) {
    return ceiling.resource() == like.resource() && ceiling.dtype() == like.dtype();
  });
}

}  // namespace

Status CheckCeiling(const v1::Ceiling& ceiling) {
  if (ceiling.resource() != kMemoryResource && ceiling.resource() != kArithmeticResource) {
    return InvalidArgument("there is no resource \"" + ceiling.resource() + "\" to have a ceiling");
  }
  const bool is_number = std::isfinite(ceiling.rate()) && std::isfinite(ceiling.measured_unix_s());
  if (is_number && ceiling.rate() > 0) return OkStatus();
  return InvalidArgument("the ceiling of " + ceiling.resource() + " is no rate above 0 of a known time");
}

v1::CeilingConditions CeilingConditionsOf(const Offer& offer, const v1::RunSpec& spec) {
  constexpr double kGib = 1 << 30;
  static const HostInfo host = ReadHostInfo();  // what is plugged into a machine that runs stays there
  v1::CeilingConditions conditions;
  conditions.set_device_uuid(spec.device());
  for (const v1::Runtime& runtime : offer.runtimes) {
    if (runtime.name() != spec.runtime()) continue;
    conditions.set_runtime_version(runtime.description().runtime_version());
    for (const v1::Device& device : runtime.description().devices()) {
      if (device.name() != spec.device()) continue;
      conditions.set_device_uuid(device.uuid());
      conditions.set_device_model(device.model());
    }
  }
  conditions.set_gpu_driver(ReadGpuDriverVersion());
  conditions.set_cpu_model(host.cpu_model);
  conditions.set_cpu_count(host.cpu_count);
  conditions.set_memory_gib(static_cast<int>(std::round(host.memory_bytes / kGib)));
  conditions.set_runtime(spec.runtime());
  return conditions;
}

CeilingBook::CeilingBook(const std::filesystem::path& directory, double unix_s) : path_(directory / "ceilings.json") {
  const Status status = Load();
  if (status.ok()) return;
  file_.Clear();
  const std::string aside = path_.string() + ".corrupt-" + std::to_string(static_cast<int64_t>(unix_s));
  std::error_code error;
  std::filesystem::rename(path_, aside, error);
  warning_ = "ceilings are measured again, since those that were kept cannot be read: " + status.message() +
             (error ? "; moving that file aside failed too: " + error.message() : "; it is kept as " + aside);
}

Status CeilingBook::Load() {
  const StatusOr<std::string> text = ReadFile(path_);
  if (text.status().code() == StatusCode::kNotFound) return OkStatus();
  if (!text.ok()) return text.status();
  FLEETMARK_RETURN_IF_ERROR(FromJson(*text, &file_, path_.string()));
  for (const v1::KeptCeilings& kept : file_.kept()) {
    for (const v1::Ceiling& ceiling : kept.ceilings()) FLEETMARK_RETURN_IF_ERROR(CheckCeiling(ceiling));
  }
  return OkStatus();
}

std::vector<v1::Ceiling> CeilingBook::Known(const v1::CeilingConditions& conditions) {
  auto* const kept = file_.mutable_kept();
  kept->erase(
      std::remove_if(kept->begin(), kept->end(),
                     [&](const v1::KeptCeilings& entry) { return !StillHolds(entry.conditions(), conditions); }),
      kept->end());
  std::vector<v1::Ceiling> best;
  for (const v1::KeptCeilings& entry : file_.kept()) {
    if (entry.conditions().device_uuid() != conditions.device_uuid()) continue;
    for (const v1::Ceiling& ceiling : entry.ceilings()) {
      const auto known = Find(&best, ceiling);
      if (known == best.end()) {
        best.push_back(ceiling);
      } else if (ceiling.rate() > known->rate()) {
        *known = ceiling;
      }
    }
  }
  return best;
}

v1::KeptCeilings* CeilingBook::EntryOf(const v1::CeilingConditions& conditions) {
  for (v1::KeptCeilings& entry : *file_.mutable_kept()) {
    if (google::protobuf::util::MessageDifferencer::Equals(entry.conditions(), conditions)) return &entry;
  }
  v1::KeptCeilings* const entry = file_.add_kept();
  *entry->mutable_conditions() = conditions;
  return entry;
}

Status CeilingBook::Keep(const v1::CeilingConditions& conditions, const std::vector<v1::Ceiling>& ceilings) {
  const std::vector<v1::Ceiling> known = Known(conditions);
  bool has_changed = false;
  for (const v1::Ceiling& ceiling : ceilings) {
    const auto before = Find(&known, ceiling);
    if (before != known.end() && ceiling.rate() <= before->rate()) continue;
    auto* const own = EntryOf(conditions)->mutable_ceilings();
    const auto place = Find(own, ceiling);
    (place == own->end() ? *own->Add() : *place) = ceiling;
    has_changed = true;
  }
  return has_changed ? Save() : OkStatus();
}

Status CeilingBook::Save() const { return WriteFileAtomically(path_, ToJson(file_, true) + "\n"); }

}  // namespace fleetmark::agent
