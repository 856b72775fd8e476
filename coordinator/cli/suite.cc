#include "coordinator/cli/suite.h"

#include <functional>
#include <map>

#include "cli_suites.h"
#include "common/suggest.h"
#include "common/toml_word.h"
#include "coordinator/cli/wait_flags.h"

namespace fleetmark {
namespace {

Status SetText(const toml::node& node, std::string* field) {
  if (!node.is_string()) return InvalidArgument("is not a text");
  *field = node.as_string()->get();
  return OkStatus();
}

template <typename Setter>
Status SetCount(const toml::node& node, const Setter& set) {
  constexpr int64_t kMost = 1'000'000;
  const auto* number = node.as_integer();
  if (number == nullptr || number->get() < 0 || number->get() > kMost) {
    return InvalidArgument("is not a whole number from 0 to " + std::to_string(kMost));
  }
  set(static_cast<int32_t>(number->get()));
  return OkStatus();
}

Status SetParameters(const toml::node& node, v1::SubmitRequest* job) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return InvalidArgument("is not a table such as { epochs = 1 }");
  for (const auto& [key, value] : *table) {
    const std::optional<std::string> word = TomlWord(value);
    if (!word) return InvalidArgument("has no text, number or truth for " + std::string(key.str()));
    (*job->mutable_parameters())[std::string(key.str())] = *word;
  }
  return OkStatus();
}

Status SetTargets(const toml::node& node, v1::SubmitRequest* job) {
  if (const auto* text = node.as_string()) {
    job->add_on(text->get());
    return OkStatus();
  }
  const toml::array* array = node.as_array();
  if (array == nullptr) return InvalidArgument("is neither a text nor a list of texts");
  for (const toml::node& element : *array) {
    if (!element.is_string()) return InvalidArgument("has an element that is not a text");
    job->add_on(element.as_string()->get());
  }
  return OkStatus();
}

Status SetTimeout(const toml::node& node, v1::SubmitRequest* job) {
  std::string text;
  FLEETMARK_RETURN_IF_ERROR(SetText(node, &text));
  FLEETMARK_ASSIGN_OR_RETURN(const double timeout_s, ParseLimit(text, "timeout"));
  job->set_timeout_s(timeout_s);
  return OkStatus();
}

// What a key of a job does.
using Setter = std::function<Status(const toml::node&, v1::SubmitRequest*)>;
const std::map<std::string, Setter>& Setters() {
  static const std::map<std::string, Setter> setters = {
      {"workload", [](const auto& node, auto* job) { return SetText(node, job->mutable_workload()); }},
      {"set", SetParameters},
      {"on", SetTargets},
      {"device", [](const auto& node, auto* job) { return SetText(node, job->mutable_device()); }},
      {"runtime", [](const auto& node, auto* job) { return SetText(node, job->mutable_runtime()); }},
      {"profile", [](const auto& node, auto* job) { return SetText(node, job->mutable_profile()); }},
      {"telemetry", [](const auto& node, auto* job) { return SetText(node, job->mutable_telemetry()); }},
      {"repeat", [](const auto& node, auto* job) { return SetCount(node, [&](int n) { job->set_repeat(n); }); }},
      {"retries", [](const auto& node, auto* job) { return SetCount(node, [&](int n) { job->set_retries(n); }); }},
      {"priority", [](const auto& node, auto* job) { return SetCount(node, [&](int n) { job->set_priority(n); }); }},
      {"timeout", SetTimeout},
      {"note", [](const auto& node, auto* job) { return SetText(node, job->mutable_note()); }},
  };
  return setters;
}

template <typename Named>
std::string PlaceOf(const std::string& file, const Named& named) {
  return file + ":" + std::to_string(named.source().begin.line) + ": ";
}

template <typename Map>
std::vector<std::string> KeysOf(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

StatusOr<v1::SubmitRequest> ReadJob(const std::string& file, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return InvalidArgument(PlaceOf(file, node) + "a job is a table: write [[job]] above it");
  v1::SubmitRequest job;
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    const auto found = Setters().find(name);
    if (found == Setters().end()) {
      return InvalidArgument(PlaceOf(file, key) + "a job has no key \"" + name + "\"",
                             SuggestFrom(name, KeysOf(Setters())));
    }
    if (const Status status = found->second(value, &job); !status.ok()) {
      return InvalidArgument(PlaceOf(file, value) + name + " " + status.message(), status.hint());
    }
  }
  if (job.workload().empty()) return InvalidArgument(PlaceOf(file, node) + "this job names no workload");
  return job;
}

StatusOr<Suite> ReadSuite(const std::string& name, const std::string& file, const toml::table& table) {
  Suite suite;
  suite.name = name;
  for (const auto& [key, value] : table) {
    if (key.str() == "doc") {
      if (const Status status = SetText(value, &suite.doc); !status.ok()) {
        return InvalidArgument(PlaceOf(file, value) + "doc " + status.message());
      }
    } else if (key.str() == "job" && value.is_array()) {
      for (const toml::node& node : *value.as_array()) {
        FLEETMARK_ASSIGN_OR_RETURN(v1::SubmitRequest job, ReadJob(file, node));
        suite.jobs.push_back(std::move(job));
      }
    } else {
      const std::string word(key.str());
      return InvalidArgument(PlaceOf(file, key) + "a suite has no key \"" + word + "\"",
                             word == "job" ? "write [[job]], with two brackets" : SuggestFrom(word, {"doc", "job"}));
    }
  }
  if (suite.jobs.empty()) return InvalidArgument(file + " has no [[job]]");
  return suite;
}

}  // namespace

std::vector<std::string> SuiteNames() {
  std::vector<std::string> names;
  for (const auto& [name, text] : kSuites) names.emplace_back(name);
  return names;
}

StatusOr<Suite> LoadSuite(const std::string& name) {
  try {
    if (name.ends_with(".toml")) return ReadSuite(name, name, toml::parse_file(name));
    for (const auto& [known, text] : kSuites) {
      if (known == name) return ReadSuite(name, "suite " + name, toml::parse(std::string_view(text)));
    }
  } catch (const toml::parse_error& error) {
    if (error.source().begin.line == 0) return NotFound(name + " cannot be read: " + std::string(error.description()));
    return InvalidArgument(PlaceOf(name, error) + std::string(error.description()),
                           "a suite is TOML: see docs/workloads.md");
  }
  return NotFound("there is no suite \"" + name + "\"", SuggestFrom(name, SuiteNames()) + "; or name a file, FILE.toml",
                  "unknown_suite");
}

}  // namespace fleetmark
