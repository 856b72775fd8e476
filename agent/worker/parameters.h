#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace fleetmark {

// One typed, bounded parameter: the worker's form of workload.proto's ParameterSpec, whose comments are normative.
struct ParameterSpec {
  std::string name;
  std::string type;  // "int", "double" or "choice"
  std::string default_value;
  std::optional<double> min = {};
  std::optional<double> max = {};
  std::vector<std::string> choices = {};
  std::string unit = "";
  std::string doc;
  bool defines_board = false;
  bool tunable = false;
};

// The parameters of one run, all of them, checked and in canonical form. Asking for one that was not declared, or as
// another type, is a mistake in the program.
class Parameters {
 public:
  // Defaults, overridden by `given`. Fails with "bad_parameter" for a name that is not declared, a value that is not of
  // the type, out of bounds, or not one of the choices; the message names the parameter.
  static StatusOr<Parameters> Parse(const std::vector<ParameterSpec>& specs,
                                    const std::map<std::string, std::string>& given);

  bool Has(std::string_view name) const { return values_.count(std::string(name)) > 0; }
  int64_t Int(std::string_view name) const;
  double Double(std::string_view name) const;
  const std::string& Text(std::string_view name) const;

  // Says what took effect in place of a value such as "0 = all".
  void Set(std::string_view name, std::string value);

  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

// The shortest decimal form that reads back as the same double.
std::string CanonicalDouble(double value);

}  // namespace fleetmark
