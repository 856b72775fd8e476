#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark {

struct GrpcServerOptions {
  std::string listen;        // HOST:PORT; port 0 picks one
  std::string address_file;  // where to write the address it really listens on; "" for nowhere
  bool insecure = false;     // allows listening beyond loopback
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
StatusOr<std::shared_ptr<grpc::Channel>> Dial(const std::string& address, bool insecure, const std::string& what);

}  // namespace fleetmark
