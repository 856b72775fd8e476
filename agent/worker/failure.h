#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "common/status.h"

namespace fleetmark {

// The deliberate failures of a run. `kind` is the word of run.proto's Failure; common/worker_protocol.h has its exit
// code.
inline Status BadParameter(std::string message, std::string hint = "") {
  return Status(StatusCode::kInvalidArgument, std::move(message), std::move(hint), "bad_parameter");
}
inline Status DeviceUnavailable(std::string message, std::string hint = "") {
  return Status(StatusCode::kUnavailable, std::move(message), std::move(hint), "device_unavailable");
}
inline Status OutOfMemory(std::string message, std::string hint = "") {
  return Status(StatusCode::kResourceExhausted, std::move(message), std::move(hint), "out_of_memory");
}
inline Status DataMissing(std::string message, std::string hint = "") {
  return Status(StatusCode::kNotFound, std::move(message), std::move(hint), "data_missing");
}
inline Status DataCorrupt(std::string message, std::string hint = "") {
  return Status(StatusCode::kDataLoss, std::move(message), std::move(hint), "data_corrupt");
}
inline Status Diverged(std::string message, std::string hint = "") {
  return Status(StatusCode::kFailedPrecondition, std::move(message), std::move(hint), "diverged");
}
inline Status Unsupported(std::string message, std::string hint = "") {
  return Status(StatusCode::kUnimplemented, std::move(message), std::move(hint), "unsupported");
}

// Carries a failure out of a step, whose callers handle LibTorch's exceptions anyway.
class RunFailure : public std::runtime_error {
 public:
  explicit RunFailure(Status status) : std::runtime_error(status.message()), status_(std::move(status)) {}
  const Status& status() const { return status_; }

 private:
  Status status_;
};

}  // namespace fleetmark
