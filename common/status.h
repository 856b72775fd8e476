#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fleetmark {

// The canonical codes, with gRPC's numbers (checked in grpc_status.cc).
enum class StatusCode {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "invalid_argument"; what JSON and logs print.
std::string_view StatusCodeName(StatusCode code);

// What went wrong, for a person: `message` is one sentence that names the thing and the place, `hint` says what to do
// ("" when nothing helps), `kind` is a word that programs may test ("stale_fence"; "" when the code says it all).
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message, std::string hint = "", std::string kind = "")
      : code_(code), message_(std::move(message)), hint_(std::move(hint)), kind_(std::move(kind)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::string& kind() const { return kind_; }

  // "MESSAGE (HINT)", for logs.
  std::string ToString() const { return hint_.empty() ? message_ : message_ + " (" + hint_ + ")"; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string hint_;
  std::string kind_;
};

inline Status OkStatus() { return Status(); }
inline Status InvalidArgument(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kInvalidArgument, std::move(message), std::move(hint), std::move(kind));
}
inline Status NotFound(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kNotFound, std::move(message), std::move(hint), std::move(kind));
}
inline Status AlreadyExists(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kAlreadyExists, std::move(message), std::move(hint), std::move(kind));
}
inline Status FailedPrecondition(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kFailedPrecondition, std::move(message), std::move(hint), std::move(kind));
}
inline Status ResourceExhausted(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kResourceExhausted, std::move(message), std::move(hint), std::move(kind));
}
inline Status Unavailable(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kUnavailable, std::move(message), std::move(hint), std::move(kind));
}
inline Status Internal(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kInternal, std::move(message), std::move(hint), std::move(kind));
}
inline Status DataLoss(std::string message, std::string hint = "", std::string kind = "") {
  return Status(StatusCode::kDataLoss, std::move(message), std::move(hint), std::move(kind));
}

// A value, or the reason why there is none. `value()` may only be called when `ok()`.
template <typename T>
class [[nodiscard]] StatusOr {
 public:
  // Both convert, so that a function returns either as it is. NOLINTBEGIN(google-explicit-constructor)
  StatusOr(Status status) : status_(std::move(status)) { assert(!status_.ok()); }
  StatusOr(T value) : value_(std::move(value)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  const T& value() const& { return *value_; }
  T& value() & { return *value_; }
  T&& value() && { return *std::move(value_); }
  const T& operator*() const& { return *value_; }
  T& operator*() & { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  const T* operator->() const { return &*value_; }
  T* operator->() { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

// Returns the failed Status of `expression` from the enclosing function.
#define FLEETMARK_RETURN_IF_ERROR(expression)                                                                 \
  do {                                                                                                        \
    if (::fleetmark::Status fleetmark_status = (expression); !fleetmark_status.ok()) return fleetmark_status; \
  } while (false)

// Declares or assigns `target` from a StatusOr, or returns its Status.
#define FLEETMARK_CONCAT_INNER(a, b) a##b
#define FLEETMARK_CONCAT(a, b) FLEETMARK_CONCAT_INNER(a, b)
#define FLEETMARK_ASSIGN_OR_RETURN(target, expression) \
  FLEETMARK_ASSIGN_OR_RETURN_IMPL(FLEETMARK_CONCAT(fleetmark_or_, __LINE__), target, expression)
#define FLEETMARK_ASSIGN_OR_RETURN_IMPL(temporary, target, expression) \
  auto temporary = (expression);                                       \
  if (!temporary.ok()) return temporary.status();                      \
  target = std::move(temporary).value()

}  // namespace fleetmark
