#include "agent/agent_service.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

#include "common/files.h"
#include "common/grpc_status.h"

namespace fleetmark::agent {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;
constexpr auto kCancelCheck = std::chrono::milliseconds(1000);

template <typename T>
grpc::Status Answer(StatusOr<T> result, T* response) {
  if (!result.ok()) return ToGrpcStatus(result.status());
  *response = *std::move(result);
  return grpc::Status::OK;
}

// The bytes from `offset` on; at least one chunk, so that also an empty whole is told.
grpc::Status WriteChunks(const std::string& bytes, const std::string& sha256, double offset,
                         grpc::ServerContext* context, grpc::ServerWriter<v1::Chunk>* writer) {
  if (!(offset >= 0) || offset > static_cast<double>(bytes.size())) {
    return ToGrpcStatus(Status(StatusCode::kOutOfRange, "offset " + std::to_string(offset) + " is beyond the " +
                                                            std::to_string(bytes.size()) + " bytes that there are"));
  }
  size_t position = static_cast<size_t>(offset);
  do {
    v1::Chunk chunk;
    chunk.set_offset(static_cast<double>(position));
    chunk.set_data(bytes.substr(position, kChunkBytes));
    chunk.set_total_bytes(static_cast<double>(bytes.size()));
    chunk.set_sha256(sha256);
    position += chunk.data().size();
    if (context->IsCancelled() || !writer->Write(chunk)) return grpc::Status::CANCELLED;
  } while (position < bytes.size());
  return grpc::Status::OK;
}

// Ids become file names: nothing else may.
Status CheckAttemptId(const std::string& id) {
  const bool is_plain = !id.empty() && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
  return is_plain ? OkStatus() : InvalidArgument("\"" + id + "\" is not the id of an attempt");
}

}  // namespace

v1::AgentDescription AgentService::Description() const {
  v1::AgentDescription description = loop_->Describe();
  description.MergeFrom(base_);
  return description;
}

grpc::Status AgentService::Describe(grpc::ServerContext* context, const v1::DescribeRequest*,
                                    v1::AgentDescription* response) {
  context->set_compression_algorithm(GRPC_COMPRESS_GZIP);  // see registration.cc
  *response = Description();
  return grpc::Status::OK;
}

grpc::Status AgentService::Sync(grpc::ServerContext* context, const v1::SyncRequest* request,
                                v1::SyncResponse* response) {
  return Answer(loop_->Sync(*request, [context] { return context->IsCancelled(); }), response);
}

grpc::Status AgentService::StartRun(grpc::ServerContext* context, const v1::StartRunRequest* request,
                                    v1::AttemptStatus* response) {
  if (const Status status = CheckAttemptId(request->attempt_id()); !status.ok()) return ToGrpcStatus(status);
  if (context->IsCancelled()) return grpc::Status::CANCELLED;  // nobody would hear of what it starts
  return Answer(loop_->StartRun(*request), response);
}

grpc::Status AgentService::CancelRun(grpc::ServerContext*, const v1::CancelRunRequest* request,
                                     v1::AttemptStatus* response) {
  if (const Status status = CheckAttemptId(request->attempt_id()); !status.ok()) return ToGrpcStatus(status);
  return Answer(loop_->CancelRun(*request), response);
}

grpc::Status AgentService::Drain(grpc::ServerContext*, const v1::DrainRequest* request, v1::DrainResponse* response) {
  return Answer(loop_->Drain(*request), response);
}

grpc::Status AgentService::WatchRun(grpc::ServerContext* context, const v1::WatchRunRequest* request,
                                    grpc::ServerWriter<v1::RunEvent>* writer) {
  int next_seq = std::max(request->from_seq(), 1);
  while (!context->IsCancelled()) {
    const WatchHub::News news = loop_->watch_hub().Wait(request->attempt_id(), next_seq, kCancelCheck);
    if (!news.is_known) {
      return ToGrpcStatus(NotFound("attempt " + request->attempt_id() + " is not running on this agent"));
    }
    for (const v1::RunEvent& event : news.events) {
      if (!writer->Write(event)) return grpc::Status::CANCELLED;
      next_seq = event.seq() + 1;
    }
    if (news.has_ended) return grpc::Status::OK;
  }
  return grpc::Status::CANCELLED;
}

grpc::Status AgentService::FetchResult(grpc::ServerContext* context, const v1::FetchRequest* request,
                                       grpc::ServerWriter<v1::Chunk>* writer) {
  const auto report = loop_->ReadReport(request->attempt_id());
  if (!report.ok()) return ToGrpcStatus(report.status());
  return WriteChunks(report->bytes, report->sha256, request->offset(), context, writer);
}

grpc::Status AgentService::FetchLog(grpc::ServerContext* context, const v1::FetchRequest* request,
                                    grpc::ServerWriter<v1::Chunk>* writer) {
  if (const Status status = CheckAttemptId(request->attempt_id()); !status.ok()) return ToGrpcStatus(status);
  const auto log = ReadFile(loop_->LogPath(request->attempt_id()));
  if (!log.ok()) return ToGrpcStatus(NotFound("this agent keeps no log of attempt " + request->attempt_id()));
  return WriteChunks(*log, "", request->offset(), context, writer);
}

}  // namespace fleetmark::agent
