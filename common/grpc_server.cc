#include "common/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>

#include "common/address.h"
#include "common/files.h"

namespace fleetmark {
namespace {

// How long running calls may take to notice that the server stops.
constexpr auto kShutdownGrace = std::chrono::milliseconds(300);
constexpr int kMaxMessageBytes = 64 << 20;
constexpr int kMaxConcurrentStreams = 256;

// gRPC only says that it could not bind; the system says why. SO_REUSEPORT is off in the server too, so that a second
// one on the same port fails instead of taking half of the connections.
Status CheckBindable(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int error = getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return InvalidArgument("cannot listen on " + address.ToString() + ": " + gai_strerror(error),
                           "use an address of this machine");
  }
  const int descriptor = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int result = descriptor < 0 ? -1 : bind(descriptor, found->ai_addr, found->ai_addrlen);
  const int error = errno;
  freeaddrinfo(found);
  if (descriptor >= 0) close(descriptor);
  if (result == 0) return OkStatus();
  const std::string hint = error == EADDRINUSE
                               ? "stop what uses it, or choose another port with --listen (port 0 picks one)"
                               : "use an address of this machine";
  return Status(error == EADDRINUSE ? StatusCode::kAlreadyExists : StatusCode::kInvalidArgument,
                "cannot listen on " + address.ToString() + ": " + std::strerror(error), hint, "listen");
}

}  // namespace

StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                        const std::vector<grpc::Service*>& services) {
  FLEETMARK_ASSIGN_OR_RETURN(Address address, ParseAddress(options.listen, "--listen"));
  FLEETMARK_RETURN_IF_ERROR(CheckReach(address, options.insecure, "--listen"));
  FLEETMARK_RETURN_IF_ERROR(CheckBindable(address));
  static std::once_flag plugins;
  std::call_once(plugins, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address.ToString(), grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive.time_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive.timeout_ms);
  // The peers' keepalive pings are wanted; without this the server answers them with GOAWAY.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, options.keepalive.time_ms / 2);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<GrpcServer> server(new GrpcServer());
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port == 0) {
    return Unavailable("cannot listen on " + address.ToString(), "choose another address with --listen", "listen");
  }
  address.port = port;
  server->address_ = address.ToString();
  if (!options.address_file.empty()) {
    FLEETMARK_RETURN_IF_ERROR(WriteFileAtomically(options.address_file, server->address_ + "\n"));
  }
  return server;
}

void GrpcServer::Shutdown() { server_->Shutdown(std::chrono::system_clock::now() + kShutdownGrace); }

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) Shutdown();
}

StatusOr<std::shared_ptr<grpc::Channel>> Dial(const std::string& address, bool insecure, const std::string& what,
                                              const Keepalive& keepalive) {
  FLEETMARK_ASSIGN_OR_RETURN(const Address parsed, ParseAddress(address, what));
  FLEETMARK_RETURN_IF_ERROR(CheckReach(parsed, insecure, what));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive.time_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive.timeout_ms);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // How long an attempt to connect may take: at a round trip of four seconds that is eight, for TCP and for HTTP/2.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 15'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  // Benchmarks talk to the machine beside them: no proxy may come between.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(parsed.ToString(), grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace fleetmark
