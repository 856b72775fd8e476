#include <algorithm>

#include "coordinator/rpc/handlers.h"

namespace fleetmark {
namespace {
constexpr size_t kChunkBytes = 256 << 10;
}  // namespace

Status GetLog(Coordinator& coordinator, const v1::GetLogRequest& request, const Send<v1::Chunk>& send) {
  FLEETMARK_ASSIGN_OR_RETURN(const std::string run_id, coordinator.reader().ResolveRun(request.run_id()));
  CoordinatorCore::Place place;
  coordinator.loop().View([&](const CoordinatorCore& core, Moment) { place = core.FindLive(run_id); });
  if (!place.attempt_id.empty()) {
    const Status status = coordinator.calls().FetchLog(place.address, place.attempt_id, send);
    // When it has ended meanwhile its log is in the store.
    if (status.code() != StatusCode::kNotFound) return status;
  }
  FLEETMARK_ASSIGN_OR_RETURN(const std::optional<StoredLog> log, coordinator.reader().GetLog(run_id));
  if (!log.has_value()) return OkStatus();  // it wrote nothing
  for (size_t offset = 0; offset < log->bytes.size(); offset += kChunkBytes) {
    v1::Chunk chunk;
    chunk.set_offset(static_cast<double>(offset));
    chunk.set_data(log->bytes.substr(offset, kChunkBytes));
    chunk.set_total_bytes(static_cast<double>(log->bytes.size()));
    if (!send(chunk)) break;
  }
  return OkStatus();
}

}  // namespace fleetmark
