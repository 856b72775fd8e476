#include "tests/unit/protocol/post_office.h"

#include <google/protobuf/unknown_field_set.h>

#include <utility>

#include "common/grpc_status.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

void AddUnknownField(google::protobuf::Message* message) {
  message->GetReflection()->MutableUnknownFields(message)->AddLengthDelimited(1000, "of a newer version");
}

grpc::Status Lost() { return {grpc::StatusCode::UNAVAILABLE, "lost on its way"}; }

}  // namespace

PostOffice::PostOffice() { server_ = std::move(GrpcServer::Start({"127.0.0.1:0", "", false}, {this})).value(); }

PostOffice::~PostOffice() { server_->Shutdown(); }

void PostOffice::Serve(const std::string& agent_address) {
  const std::lock_guard lock(mutex_);
  stub_ = v1::AgentService::NewStub(std::move(Dial(agent_address, false, "the agent")).value());
}

void PostOffice::Cut(bool is_cut) {
  const std::lock_guard lock(mutex_);
  is_cut_ = is_cut;
}

void PostOffice::LoseSyncAnswers() {
  const std::lock_guard lock(mutex_);
  loses_sync_answers_ = true;
}

void PostOffice::KeepNextStart() {
  const std::lock_guard lock(mutex_);
  keeps_next_start_ = true;
}

void PostOffice::Forge(const std::string& attempt_id, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  forged_[attempt_id] = bytes;
}

void PostOffice::AddUnknownFields() {
  const std::lock_guard lock(mutex_);
  adds_unknown_fields_ = true;
}

void PostOffice::OnStart(std::function<void()> look) {
  const std::lock_guard lock(mutex_);
  on_start_ = std::move(look);
}

std::vector<v1::StartRunRequest> PostOffice::starts() const {
  const std::lock_guard lock(mutex_);
  return starts_;
}

std::vector<v1::SyncRequest> PostOffice::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

int PostOffice::forged_fetches() const {
  const std::lock_guard lock(mutex_);
  return forged_fetches_;
}

int PostOffice::forged_acks() const {
  const std::lock_guard lock(mutex_);
  return forged_acks_;
}

StatusOr<v1::AttemptStatus> PostOffice::Deliver(const v1::StartRunRequest& request) {
  grpc::ClientContext context;
  v1::AttemptStatus response;
  FLEETMARK_RETURN_IF_ERROR(FromGrpcStatus(stub()->StartRun(&context, request, &response)));
  return response;
}

StatusOr<v1::SyncResponse> PostOffice::Deliver(const v1::SyncRequest& request) {
  grpc::ClientContext context;
  v1::SyncResponse response;
  FLEETMARK_RETURN_IF_ERROR(FromGrpcStatus(stub()->Sync(&context, request, &response)));
  return response;
}

std::shared_ptr<PostOffice::Stub> PostOffice::stub() const {
  const std::lock_guard lock(mutex_);
  return stub_;
}

template <typename Request, typename Response>
grpc::Status PostOffice::Pass(Context* context,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                              const Request& request, Response* response) {
  std::shared_ptr<Stub> agent;
  Request passed = request;
  {
    const std::lock_guard lock(mutex_);
    if (is_cut_) return Lost();
    agent = stub_;
    if (adds_unknown_fields_) AddUnknownField(&passed);
  }
  // With the deadline and the cancellation of the call that is passed on.
  const std::unique_ptr<grpc::ClientContext> onward = grpc::ClientContext::FromServerContext(*context);
  const grpc::Status status = (agent.get()->*method)(onward.get(), passed, response);
  if (passed.GetReflection()->GetUnknownFields(passed).field_count() > 0) AddUnknownField(response);
  return status;
}

grpc::Status PostOffice::PassStream(Context* context, Fetch method, const v1::FetchRequest& request,
                                    grpc::ServerWriter<v1::Chunk>* writer) {
  std::shared_ptr<Stub> agent;
  {
    const std::lock_guard lock(mutex_);
    if (is_cut_) return Lost();
    agent = stub_;
  }
  const std::unique_ptr<grpc::ClientContext> onward = grpc::ClientContext::FromServerContext(*context);
  const auto reader = (agent.get()->*method)(onward.get(), request);
  for (v1::Chunk chunk; reader->Read(&chunk);) writer->Write(chunk);
  return reader->Finish();
}

grpc::Status PostOffice::Describe(Context* context, const v1::DescribeRequest* request,
                                  v1::AgentDescription* response) {
  return Pass(context, &Stub::Describe, *request, response);
}

grpc::Status PostOffice::Sync(Context* context, const v1::SyncRequest* request, v1::SyncResponse* response) {
  const grpc::Status status = Pass(context, &Stub::Sync, *request, response);
  const std::lock_guard lock(mutex_);
  if (!status.ok()) return status;
  syncs_.push_back(*request);
  for (const v1::Ack& ack : request->acks()) {
    const auto forged = forged_.find(ack.attempt_id());
    if (forged != forged_.end() && ack.sha256() == Sha256Hex(forged->second)) ++forged_acks_;
  }
  AddForged(response);
  return loses_sync_answers_ ? Lost() : status;
}

void PostOffice::AddForged(v1::SyncResponse* response) const {
  for (const auto& [attempt_id, bytes] : forged_) {
    v1::PendingResult* pending = response->add_pending_results();
    pending->set_attempt_id(attempt_id);
    pending->set_sha256(Sha256Hex(bytes));
  }
}

grpc::Status PostOffice::StartRun(Context* context, const v1::StartRunRequest* request, v1::AttemptStatus* response) {
  std::function<void()> look;
  {
    const std::lock_guard lock(mutex_);
    starts_.push_back(*request);
    if (std::exchange(keeps_next_start_, false)) return Lost();
    look = on_start_;
  }
  if (look) look();
  return Pass(context, &Stub::StartRun, *request, response);
}

grpc::Status PostOffice::CancelRun(Context* context, const v1::CancelRunRequest* request, v1::AttemptStatus* response) {
  return Pass(context, &Stub::CancelRun, *request, response);
}

grpc::Status PostOffice::FetchResult(Context* context, const v1::FetchRequest* request,
                                     grpc::ServerWriter<v1::Chunk>* writer) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto forged = forged_.find(request->attempt_id()); forged != forged_.end()) {
      ++forged_fetches_;
      v1::Chunk chunk;
      chunk.set_data(forged->second);
      writer->Write(chunk);
      return grpc::Status::OK;
    }
  }
  return PassStream(context, &Stub::FetchResult, *request, writer);
}

grpc::Status PostOffice::FetchLog(Context* context, const v1::FetchRequest* request,
                                  grpc::ServerWriter<v1::Chunk>* writer) {
  return PassStream(context, &Stub::FetchLog, *request, writer);
}

}  // namespace fleetmark
