// reflection_client ADDRESS: what grpcurl would learn of a server. Prints `health STATUS`, `service NAME` and
// `method SERVICE/METHOD` lines, everything from the server's own reflection.
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <string>
#include <vector>

#include "health.grpc.pb.h"
#include "reflection.grpc.pb.h"

namespace {

namespace reflection = grpc::reflection::v1alpha;
namespace health = grpc::health::v1;

int PrintHealth(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  health::HealthCheckResponse response;
  const grpc::Status status = health::Health::NewStub(channel)->Check(&context, {}, &response);
  if (!status.ok()) {
    std::cerr << "health: " << status.error_message() << "\n";
    return 1;
  }
  std::cout << "health " << health::HealthCheckResponse::ServingStatus_Name(response.status()) << "\n";
  return 0;
}

reflection::ServerReflectionResponse Ask(reflection::ServerReflection::Stub& stub,
                                         const reflection::ServerReflectionRequest& request) {
  grpc::ClientContext context;
  const auto stream = stub.ServerReflectionInfo(&context);
  reflection::ServerReflectionResponse response;
  stream->Write(request);
  stream->WritesDone();
  stream->Read(&response);
  if (const grpc::Status status = stream->Finish(); !status.ok()) {
    std::cerr << "reflection: " << status.error_message() << "\n";
  }
  return response;
}

void PrintMethods(reflection::ServerReflection::Stub& stub, const std::string& service_name) {
  reflection::ServerReflectionRequest request;
  request.set_file_containing_symbol(service_name);
  const reflection::ServerReflectionResponse response = Ask(stub, request);
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    if (!file.ParseFromString(bytes)) continue;
    for (const auto& service : file.service()) {
      if (file.package() + "." + service.name() != service_name) continue;
      for (const auto& method : service.method())
        std::cout << "method " << service_name << "/" << method.name() << "\n";
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: reflection_client ADDRESS\n";
    return 2;
  }
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  if (PrintHealth(channel) != 0) return 1;
  const auto stub = reflection::ServerReflection::NewStub(channel);
  reflection::ServerReflectionRequest request;
  request.set_list_services("");
  const reflection::ServerReflectionResponse response = Ask(*stub, request);
  for (const auto& service : response.list_services_response().service()) {
    std::cout << "service " << service.name() << "\n";
    PrintMethods(*stub, service.name());
  }
  return 0;
}
