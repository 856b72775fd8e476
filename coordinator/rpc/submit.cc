#include <google/protobuf/unknown_field_set.h>

#include "common/ids.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {
namespace {

// A newer command line may ask for what this build does not know. Without it the job would be another one.
Status CheckNothingUnknown(const v1::SubmitRequest& request) {
  const auto& unknown = request.GetReflection()->GetUnknownFields(request);
  if (unknown.empty()) return OkStatus();
  return FailedPrecondition("the job asks for something that this coordinator does not know (field " +
                                std::to_string(unknown.field(0).number()) + " of SubmitRequest)",
                            "upgrade the coordinator", "unsupported");
}

}  // namespace

Status Submit(Coordinator& coordinator, const v1::SubmitRequest& request, v1::SubmitResponse* response) {
  FLEETMARK_RETURN_IF_ERROR(CheckNothingUnknown(request));
  SubmitAsked asked;
  asked.request = request;
  if (request.request_id().empty()) asked.request.set_request_id(NewId());
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  *response = reply.submitted;
  return OkStatus();
}

}  // namespace fleetmark
