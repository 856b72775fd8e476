#include "common/ids.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {

Status Submit(Coordinator& coordinator, const v1::SubmitRequest& request, v1::SubmitResponse* response) {
  SubmitAsked asked;
  asked.request = request;
  if (request.request_id().empty()) asked.request.set_request_id(NewId());
  const Reply reply = coordinator.loop().Ask(asked);
  FLEETMARK_RETURN_IF_ERROR(reply.status);
  *response = reply.submitted;
  return OkStatus();
}

}  // namespace fleetmark
