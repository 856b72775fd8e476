#include "coordinator/cli/submission.h"

#include "common/ids.h"
#include "coordinator/cli/client.h"

namespace fleetmark {

StatusOr<v1::SubmitResponse> SubmitJob(Session& session, v1::SubmitRequest request) {
  request.set_request_id(NewId());
  StatusOr<v1::SubmitResponse> response = session.client.Call(&Client::Stub::Submit, request);
  if (response.ok()) return response;
  const StatusCode code = response.status().code();
  if (code != StatusCode::kUnavailable && code != StatusCode::kDeadlineExceeded) return response;
  return session.client.Call(&Client::Stub::Submit, request);
}

}  // namespace fleetmark
