#include "coordinator/report_fetch.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <mutex>

#include "common/grpc_status.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

constexpr std::chrono::seconds kFetchDeadline(120);
constexpr size_t kMostReportBytes = size_t{256} << 20;
constexpr size_t kMostLogBytes = size_t{4} << 20;

// One stream of chunks into one string. Owns itself until `done` was called.
class ChunkReader : public grpc::ClientReadReactor<v1::Chunk> {
 public:
  using Done = std::function<void(Status, std::string)>;
  ChunkReader(size_t most_bytes, Done done) : most_bytes_(most_bytes), done_(std::move(done)) {
    context_.set_deadline(std::chrono::system_clock::now() + kFetchDeadline);
    request_.set_offset(0);
  }
  v1::FetchRequest& request() { return request_; }
  grpc::ClientContext& context() { return context_; }
  void Begin() {
    StartRead(&chunk_);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (bytes_.size() + chunk_.data().size() > most_bytes_) {
      is_too_long_ = true;
      context_.TryCancel();
    } else {
      bytes_ += chunk_.data();
    }
    StartRead(&chunk_);
  }
  void OnDone(const grpc::Status& status) override {
    // A log that goes on beyond what is kept is cut; a report is whole or nothing.
    done_(is_too_long_
              ? ResourceExhausted("it is longer than " + std::to_string(most_bytes_) + " bytes", "", "too_long")
              : FromGrpcStatus(status),
          std::move(bytes_));
    delete this;
  }

  const size_t most_bytes_;
  const Done done_;
  grpc::ClientContext context_;
  v1::FetchRequest request_;
  v1::Chunk chunk_;
  std::string bytes_;
  bool is_too_long_ = false;
};

// Keeps the reader that is under way, so that it can be ended from another thread.
class Fetch : public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(std::shared_ptr<v1::AgentService::Stub> stub, const FetchCall& call, std::function<void(Fetched)> done)
      : done_(std::move(done)), stub_(std::move(stub)) {
    outcome_.agent_id = call.agent_id;
    outcome_.attempt_id = call.attempt_id;
    outcome_.sha256 = call.sha256;
  }

  void Begin() {
    auto* reader = new ChunkReader(kMostReportBytes, [self = shared_from_this()](Status status, std::string bytes) {
      self->OnReport(std::move(status), std::move(bytes));
    });
    reader->request().set_attempt_id(outcome_.attempt_id);
    stub_->async()->FetchResult(&reader->context(), &reader->request(), reader);
    Run(reader);
  }

  void Cancel() {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    if (reader_ != nullptr) reader_->context().TryCancel();
  }

 private:
  void Run(ChunkReader* reader) {
    {
      const std::lock_guard lock(mutex_);
      reader_ = reader;
      if (is_cancelled_) reader->context().TryCancel();
    }
    reader->Begin();
  }
  void Forget() {
    const std::lock_guard lock(mutex_);
    reader_ = nullptr;
  }

  void OnReport(Status status, std::string bytes) {
    Forget();
    if (status.ok() && Sha256Hex(bytes) != outcome_.sha256) {
      status = DataLoss("the report's bytes do not have the hash that the agent named");
    }
    outcome_.status = std::move(status);
    outcome_.bytes = std::move(bytes);
    v1::AttemptReport report;
    if (outcome_.status.ok() && report.ParseFromString(outcome_.bytes) && report.log_bytes() > 0) {
      FetchLog();
    } else {
      done_(std::move(outcome_));
    }
  }

  void FetchLog() {
    auto* reader = new ChunkReader(kMostLogBytes, [self = shared_from_this()](const Status& status, std::string bytes) {
      self->OnLog(status, std::move(bytes));
    });
    reader->request().set_attempt_id(outcome_.attempt_id);
    stub_->async()->FetchLog(&reader->context(), &reader->request(), reader);
    Run(reader);
  }
  void OnLog(const Status& status, std::string log) {
    Forget();
    // A log that is gone must not hold up the result; a broken connection means to try both again.
    const bool is_lost = !status.ok() && status.kind().empty() && status.code() != StatusCode::kNotFound;
    if (is_lost) outcome_.status = status;
    outcome_.log = std::move(log);
    done_(std::move(outcome_));
  }

  const std::function<void(Fetched)> done_;  // goes after the stub
  const std::shared_ptr<v1::AgentService::Stub> stub_;
  Fetched outcome_;
  std::mutex mutex_;
  ChunkReader* reader_ = nullptr;
  bool is_cancelled_ = false;
};

}  // namespace

std::function<void()> StartFetch(std::shared_ptr<v1::AgentService::Stub> stub, const FetchCall& call,
                                 std::function<void(Fetched)> done) {
  auto fetch = std::make_shared<Fetch>(std::move(stub), call, std::move(done));
  fetch->Begin();
  return [fetch] { fetch->Cancel(); };
}

}  // namespace fleetmark
