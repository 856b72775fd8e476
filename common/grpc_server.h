#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark {

// How a connection on which nothing comes is found to be dead: a ping after `time_ms`, and its end when no answer comes
// within `timeout_ms`. Both ends ping, and must agree: a server cuts off whoever pings more than twice as often.
struct Keepalive {
  int time_ms = 20'000;
  int timeout_ms = 10'000;
};

struct GrpcServerOptions {
  std::string listen;        // HOST:PORT; port 0 picks one
  std::string address_file;  // where to write the address it really listens on; "" for nowhere
  bool insecure = false;     // allows listening beyond loopback
  Keepalive keepalive = {};
};

// A gRPC server with health and reflection. Stops in the destructor: running calls are cancelled after
// `kShutdownGrace`. Not copyable; used from one thread.
class GrpcServer {
 public:
  // The services must outlive the server. An address in use or unknown is said with what to do.
  static StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                     const std::vector<grpc::Service*>& services);
  ~GrpcServer();
  // HOST:PORT as it really listens.
  const std::string& address() const { return address_; }
  // Ends running calls and accepts no more; idempotent. The caller makes sure that its handlers return.
  void Shutdown();

 private:
  GrpcServer() = default;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

// A channel with keepalive and sane message limits. `address` beyond loopback needs `insecure`.
StatusOr<std::shared_ptr<grpc::Channel>> Dial(const std::string& address, bool insecure, const std::string& what,
                                              const Keepalive& keepalive = {});

}  // namespace fleetmark
