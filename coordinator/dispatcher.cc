#include "coordinator/dispatcher.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <thread>

#include "common/failpoint.h"
#include "common/grpc_status.h"
#include "common/overloaded.h"
#include "coordinator/agent_channels.h"
#include "coordinator/report_fetch.h"

namespace fleetmark {
namespace {

constexpr double kDescribeDeadlineS = 5;
constexpr double kOrderDeadlineS = 10;
constexpr double kSyncMarginS = 5;  // beyond what the agent was asked to wait

std::chrono::system_clock::time_point DeadlineIn(double seconds) {
  return std::chrono::system_clock::now() + std::chrono::milliseconds(static_cast<int64_t>(seconds * 1e3));
}

// gRPC's words for a connection that failed are long and name its parts; people see these in the list of agents.
Status InPlainWords(const grpc::Status& status) {
  const std::string& message = status.error_message();
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE || !status.error_details().empty()) {
    return FromGrpcStatus(status);
  }
  if (message.find("Connection refused") != std::string::npos) return Unavailable("the connection was refused");
  if (message.find("Socket closed") != std::string::npos) return Unavailable("the connection broke");
  return Unavailable(message);
}

// What a unary call needs until its answer comes. `alive` goes last: see Dispatcher::Alive.
template <typename Request, typename Response>
struct Unary {
  std::shared_ptr<void> alive;
  std::shared_ptr<v1::AgentService::Stub> stub;
  grpc::ClientContext context;
  Request request;
  Response response;
};

class ProgressStream : public AgentCalls::Stream {
 public:
  ProgressStream(std::shared_ptr<v1::AgentService::Stub> stub, const std::string& attempt_id,
                 std::function<void(const v1::RunEvent&)> tell)
      : stub_(std::move(stub)), tell_(std::move(tell)) {
    thread_ = std::thread([this, attempt_id] {
      v1::WatchRunRequest request;
      request.set_attempt_id(attempt_id);
      const auto reader = stub_->WatchRun(&context_, request);
      v1::RunEvent event;
      while (reader->Read(&event)) tell_(event);
      (void)reader->Finish();  // progress is best effort
    });
  }
  ~ProgressStream() override {
    context_.TryCancel();
    thread_.join();
  }

 private:
  const std::shared_ptr<v1::AgentService::Stub> stub_;
  const std::function<void(const v1::RunEvent&)> tell_;
  grpc::ClientContext context_;
  std::thread thread_;
};

class Dispatcher : public AgentCalls {
 public:
  explicit Dispatcher(bool insecure) : channels_(insecure) {}

  ~Dispatcher() override {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    CancelLocked();
    idle_.wait(lock, [&] { return alive_ == 0; });
  }

  void Perform(const Call& call, std::function<void(Event)> done) override {
    std::visit(Overloaded{[&](const DescribeCall& c) { Describe(c, done); }, [&](const SyncCall& c) { Sync(c, done); },
                          [&](const EndSync& c) { CancelSync(c.call); }, [&](const OrderCall& c) { Order(c, done); },
                          [&](const FetchCall& c) { FetchReport(c, done); }, [](const LookUp&) {},
                          [&](const ResetConnection& c) { channels_.Reset(c.address); }},
               call);
  }

  void CancelAll() override {
    const std::lock_guard lock(mutex_);
    CancelLocked();
  }

  std::unique_ptr<Stream> WatchRun(const std::string& address, const std::string& attempt_id,
                                   std::function<void(const v1::RunEvent&)> tell) override {
    StatusOr<std::shared_ptr<v1::AgentService::Stub>> stub = channels_.StubFor(address);
    if (!stub.ok()) return nullptr;
    return std::make_unique<ProgressStream>(*stub, attempt_id, std::move(tell));
  }

  Status FetchLog(const std::string& address, const std::string& attempt_id,
                  const std::function<bool(const v1::Chunk&)>& visit) override {
    FLEETMARK_ASSIGN_OR_RETURN(const std::shared_ptr<v1::AgentService::Stub> stub, channels_.StubFor(address));
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(kOrderDeadlineS));
    v1::FetchRequest request;
    request.set_attempt_id(attempt_id);
    const auto reader = stub->FetchLog(&context, request);
    v1::Chunk chunk;
    while (reader->Read(&chunk)) {
      if (visit(chunk)) continue;
      context.TryCancel();
      (void)reader->Finish();
      return OkStatus();
    }
    return FromGrpcStatus(reader->Finish());
  }

 private:
  void CancelLocked() {
    for (const auto& [id, cancel] : under_way_) {
      if (cancel) cancel();
    }
  }

  void CancelSync(uint64_t call) {
    const std::lock_guard lock(mutex_);
    const auto sync = syncs_.find(call);
    if (sync == syncs_.end()) return;
    const auto found = under_way_.find(sync->second);
    if (found != under_way_.end() && found->second) found->second();
  }

  // The number under which a call is under way; its `cancel` is set once there is something to cancel.
  uint64_t Enter() {
    const std::lock_guard lock(mutex_);
    under_way_.emplace(++last_, nullptr);
    return last_;
  }
  void SetCancel(uint64_t id, std::function<void()> cancel) {
    const std::lock_guard lock(mutex_);
    const auto found = under_way_.find(id);
    if (found == under_way_.end()) return;  // answered already
    if (is_stopping_) cancel();
    found->second = std::move(cancel);
  }
  void Leave(uint64_t id) {
    std::function<void()> cancel;  // goes when the lock is gone: it may hold the last of a call
    const std::lock_guard lock(mutex_);
    const auto found = under_way_.find(id);
    cancel = std::move(found->second);
    under_way_.erase(found);
  }
  // To be held by a call until nothing is left of it, its stub and context included. They hold the channel, and gRPC's
  // own thread must not be the one that lets go of the last channel: it would wait for itself, and free what it uses.
  std::shared_ptr<void> Alive() {
    const std::lock_guard lock(mutex_);
    ++alive_;
    return {nullptr, [this](void*) {
              const std::lock_guard unlocking(mutex_);
              if (--alive_ == 0) idle_.notify_all();
            }};
  }

  // `start` begins the call with the stub's callback API; `finish` makes the event of its answer.
  template <typename Request, typename Response, typename Start, typename Finish>
  uint64_t Begin(const std::string& address, const Request& request, double deadline_s, Start start, Finish finish,
                 const std::function<void(Event)>& done) {
    StatusOr<std::shared_ptr<v1::AgentService::Stub>> stub = channels_.StubFor(address);
    if (!stub.ok()) {
      done(finish(stub.status(), Response()));
      return 0;
    }
    const uint64_t id = Enter();
    auto unary = std::make_shared<Unary<Request, Response>>();
    unary->alive = Alive();
    unary->stub = *stub;
    unary->request = request;
    unary->context.set_deadline(DeadlineIn(deadline_s));
    *stub = nullptr;
    start(*unary->stub, *unary, [this, id, unary, finish, done](const grpc::Status& status) {
      done(finish(InPlainWords(status), std::move(unary->response)));
      Leave(id);
    });
    SetCancel(id, [unary] { unary->context.TryCancel(); });
    return id;
  }

  void Describe(const DescribeCall& call, const std::function<void(Event)>& done) {
    Begin<v1::DescribeRequest, v1::AgentDescription>(
        call.address, {}, kDescribeDeadlineS,
        [](auto& stub, auto& unary, auto then) {
          stub.async()->Describe(&unary.context, &unary.request, &unary.response, std::move(then));
        },
        [number = call.call](Status status, v1::AgentDescription description) {
          return Described{number, std::move(status), std::move(description)};
        },
        done);
  }

  void Sync(const SyncCall& call, const std::function<void(Event)>& done) {
    const bool acknowledges = call.request.acks_size() > 0;
    if (acknowledges) FailPoint("coordinator.before_ack");
    const uint64_t id = Begin<v1::SyncRequest, v1::SyncResponse>(
        call.address, call.request, call.request.wait_s() + kSyncMarginS,
        [](auto& stub, auto& unary, auto then) {
          stub.async()->Sync(&unary.context, &unary.request, &unary.response, std::move(then));
        },
        [this, number = call.call, agent_id = call.agent_id](Status status, v1::SyncResponse response) {
          {
            const std::lock_guard lock(mutex_);
            syncs_.erase(number);
          }
          return Synced{number, agent_id, std::move(status), std::move(response)};
        },
        done);
    if (acknowledges) FailPoint("coordinator.ack_sent");
    const std::lock_guard lock(mutex_);
    if (under_way_.contains(id)) syncs_[call.call] = id;
  }

  template <typename Request, typename Start>
  void OrderOf(const OrderCall& call, const Request& request, Start start, const std::function<void(Event)>& done) {
    Begin<Request, v1::AttemptStatus>(
        call.address, request, kOrderDeadlineS, start,
        [agent_id = call.agent_id](Status status, v1::AttemptStatus attempt) {
          FailPoint("coordinator.order_answered");
          return OrderAnswered{agent_id, std::move(status), std::move(attempt)};
        },
        done);
  }

  void Order(const OrderCall& call, const std::function<void(Event)>& done) {
    if (const auto* start = std::get_if<v1::StartRunRequest>(&call.request)) {
      FailPoint("coordinator.before_start");
      OrderOf(
          call, *start,
          [](auto& stub, auto& unary, auto then) {
            stub.async()->StartRun(&unary.context, &unary.request, &unary.response, std::move(then));
          },
          done);
      FailPoint("coordinator.start_sent");
    } else if (const auto* cancel = std::get_if<v1::CancelRunRequest>(&call.request)) {
      FailPoint("coordinator.before_cancel");
      OrderOf(
          call, *cancel,
          [](auto& stub, auto& unary, auto then) {
            stub.async()->CancelRun(&unary.context, &unary.request, &unary.response, std::move(then));
          },
          done);
      FailPoint("coordinator.cancel_sent");
    } else {
      Begin<v1::DrainRequest, v1::DrainResponse>(
          call.address, std::get<v1::DrainRequest>(call.request), kOrderDeadlineS,
          [](auto& stub, auto& unary, auto then) {
            stub.async()->Drain(&unary.context, &unary.request, &unary.response, std::move(then));
          },
          [agent_id = call.agent_id](Status status, const v1::DrainResponse&) {
            return OrderAnswered{agent_id, std::move(status), {}};
          },
          done);
    }
  }

  void FetchReport(const FetchCall& call, const std::function<void(Event)>& done) {
    FailPoint("coordinator.before_fetch");
    StatusOr<std::shared_ptr<v1::AgentService::Stub>> stub = channels_.StubFor(call.address);
    if (!stub.ok()) return done(Fetched{call.agent_id, call.attempt_id, call.sha256, stub.status(), "", ""});
    const uint64_t id = Enter();
    SetCancel(id, StartFetch(*std::move(stub), call, [this, id, done, alive = Alive()](Fetched fetched) {
                FailPoint("coordinator.fetched");
                done(std::move(fetched));
                Leave(id);
              }));
  }

  AgentChannels channels_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool is_stopping_ = false;
  uint64_t last_ = 0;
  int alive_ = 0;
  std::map<uint64_t, std::function<void()>> under_way_;
  std::map<uint64_t, uint64_t> syncs_;  // a SyncCall's number -> under_way_'s
};

}  // namespace

std::unique_ptr<AgentCalls> MakeDispatcher(bool insecure) { return std::make_unique<Dispatcher>(insecure); }

}  // namespace fleetmark
