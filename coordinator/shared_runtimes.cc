#include "coordinator/shared_runtimes.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "common/sha256.h"

namespace fleetmark {
namespace {

// Maps in any order make the same hash.
std::string HashOf(const Runtimes& runtimes) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    for (const v1::Runtime& runtime : runtimes) {
      out.WriteVarint64(runtime.ByteSizeLong());
      runtime.SerializeWithCachedSizes(&out);
    }
  }
  return Sha256Hex(bytes);
}

}  // namespace

std::shared_ptr<const Runtimes> ShareRuntimes(Runtimes runtimes) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const Runtimes>> known;  // by hash
  const std::string hash = HashOf(runtimes);
  const std::lock_guard lock(mutex);
  std::shared_ptr<const Runtimes> shared = known[hash].lock();
  if (shared != nullptr) return shared;
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  shared = std::make_shared<const Runtimes>(std::move(runtimes));
  known[hash] = shared;
  return shared;
}

}  // namespace fleetmark
