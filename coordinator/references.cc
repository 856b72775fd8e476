#include "coordinator/references.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>

#include "common/files.h"
#include "common/suggest.h"
#include "coordinator/published_verdict.h"

namespace fleetmark {
namespace {

using Row = std::map<std::string, std::string>;  // by column

std::vector<std::string> SplitLine(const std::string& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

// What an article says of two of its rows.
struct Claim {
  std::string place, claim, metric, device, against;
};

struct Table {
  std::string place;  // for errors
  std::string source;
  std::vector<std::string> columns;
  std::vector<Row> rows;
  std::vector<Claim> claims;

  // A row a call, else a row a number.
  bool has_calls() const { return std::find(columns.begin(), columns.end(), "call") != columns.end(); }
};

constexpr std::string_view kSays = "# Says: ";

// "159x for wall_s of a GPU against a CPU", behind kSays.
StatusOr<Claim> ParseClaim(const std::string& place, std::string_view text) {
  Claim claim;
  claim.place = place;
  const auto take = [&text](std::string_view separator, std::string* part) {
    const size_t at = text.find(separator);
    if (at == std::string_view::npos) return false;
    *part = text.substr(0, at);
    text.remove_prefix(at + separator.size());
    return true;
  };
  if (!take(" for ", &claim.claim) || !take(" of ", &claim.metric) || !take(" against ", &claim.device)) {
    return InvalidArgument(place + ": it is not \"# Says: CLAIM for METRIC of DEVICE against DEVICE\"");
  }
  claim.against = text.substr(0, text.find('\r'));
  return claim;
}

Status CheckColumns(const Table& table, int line) {
  std::vector<std::string> known = {"system", "device_kind", "device", "runtime", "note"};
  if (table.has_calls()) {
    known.insert(known.end(), {"script", "call", "process_s", "wall_s"});
  } else {
    known.insert(known.end(), {"metric", "value", "unit", "rated_gb_per_s", "gb_per_it", "throttled_by"});
  }
  for (const std::string& column : table.columns) {
    if (std::find(known.begin(), known.end(), column) != known.end()) continue;
    return InvalidArgument(table.place + ":" + std::to_string(line) + ": there is no column \"" + column + "\"",
                           SuggestFrom(column, known));
  }
  return OkStatus();
}

StatusOr<Table> ReadTable(const std::filesystem::path& path) {
  FLEETMARK_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  Table table{path.string(), "", {}, {}, {}};
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line == "\r") continue;
    if (line.starts_with(kSays)) {
      FLEETMARK_ASSIGN_OR_RETURN(Claim claim, ParseClaim(path.string() + ":" + std::to_string(number),
                                                         std::string_view(line).substr(kSays.size())));
      table.claims.push_back(std::move(claim));
      continue;
    }
    if (line[0] == '#') {
      if (table.source.empty()) table.source = line.substr(std::min(line.find_first_not_of("# "), line.size()));
      continue;
    }
    const std::vector<std::string> fields = SplitLine(line);
    if (table.columns.empty()) {
      table.columns = fields;
      FLEETMARK_RETURN_IF_ERROR(CheckColumns(table, number));
      continue;
    }
    if (fields.size() != table.columns.size()) {
      return InvalidArgument(path.string() + ":" + std::to_string(number) + ": " + std::to_string(fields.size()) +
                             " fields, and the header has " + std::to_string(table.columns.size()));
    }
    Row row{{"line", std::to_string(number)}};
    for (size_t i = 0; i < fields.size(); ++i) row[table.columns[i]] = fields[i];
    table.rows.push_back(std::move(row));
  }
  return table;
}

StatusOr<double> NumberIn(const Table& table, const Row& row, const std::string& column) {
  const auto found = row.find(column);
  const std::string text = found == row.end() ? "" : found->second;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr double kMost = 1e18;  // so that sums of them are numbers too
  if (error == std::errc() && end == text.data() + text.size() && std::abs(value) <= kMost) return value;
  return InvalidArgument(table.place + ":" + row.at("line") + ": " + column + " is \"" + text +
                         "\", not a number of at most 1e18");
}

// A count from 1, of what an article lists.
StatusOr<int> CountIn(const Table& table, const Row& row, const std::string& column) {
  constexpr double kMost = 1e6;
  FLEETMARK_ASSIGN_OR_RETURN(const double value, NumberIn(table, row, column));
  if (value >= 1 && value <= kMost && value == std::floor(value)) return static_cast<int>(value);
  return InvalidArgument(table.place + ":" + row.at("line") + ": " + column + " is " + row.at(column) +
                         ", not a number that counts from 1");
}

std::string FieldOf(const Row& row, const std::string& column) {
  const auto found = row.find(column);
  return found == row.end() ? "" : found->second;
}

// What a card is specified for or a step moves: absent where the field is empty.
StatusOr<std::optional<double>> AmountIn(const Table& table, const Row& row, const std::string& column) {
  const std::string text = FieldOf(row, column);
  if (text.empty()) return std::optional<double>();
  FLEETMARK_ASSIGN_OR_RETURN(const double value, NumberIn(table, row, column));
  if (value > 0) return std::optional<double>(value);
  return InvalidArgument(table.place + ":" + row.at("line") + ": " + column + " is " + text + ", not above 0");
}

StatusOr<PublishedEvidence> EvidenceIn(const Table& table, const Row& row) {
  PublishedEvidence evidence;
  FLEETMARK_ASSIGN_OR_RETURN(evidence.rated_gb_per_s, AmountIn(table, row, "rated_gb_per_s"));
  FLEETMARK_ASSIGN_OR_RETURN(evidence.gb_per_it, AmountIn(table, row, "gb_per_it"));
  evidence.throttled_by = FieldOf(row, "throttled_by");
  if (!evidence.rated_gb_per_s || evidence.gb_per_it) return evidence;
  return InvalidArgument(table.place + ":" + row.at("line") + ": rated_gb_per_s says nothing without gb_per_it");
}

Reference Start(const Table& table, const std::string& workload, const Row& row) {
  Reference reference;
  reference.workload = workload;
  reference.system = FieldOf(row, "system");
  reference.device_kind = FieldOf(row, "device_kind");
  reference.device = FieldOf(row, "device");
  reference.runtime = FieldOf(row, "runtime");
  reference.note = FieldOf(row, "note");
  reference.source = table.source;
  return reference;
}

// What the published PyTorch script trains, whoever runs it: 14 epochs of 60,000 images. Other scripts did not publish
// their epochs.
void AddDerived(std::vector<Reference>* references) {
  constexpr double kSamples = 14 * 60'000, kLeastS = 1, kMostS = 1e9;
  std::vector<Reference> derived;
  for (const Reference& published : *references) {
    if (published.workload != "mnist_cnn" || published.metric != "total_s" || published.runtime != "pytorch") continue;
    if (published.value < kLeastS || published.value > kMostS) continue;
    Reference rate = published;
    rate.metric = "samples_per_s";
    rate.unit = "samples/s";
    rate.value = kSamples / published.value;
    rate.is_derived = true;
    rate.note = "14 epochs x 60,000 samples / the published total of " +
                std::to_string(static_cast<int>(published.value)) + " s";
    derived.push_back(std::move(rate));
  }
  references->insert(references->end(), derived.begin(), derived.end());
}

Status AddRows(const Table& table, const std::string& workload, std::vector<Reference>* references) {
  for (const Row& row : table.rows) {
    Reference reference = Start(table, workload, row);
    reference.metric = FieldOf(row, "metric");
    reference.unit = FieldOf(row, "unit");
    FLEETMARK_ASSIGN_OR_RETURN(reference.value, NumberIn(table, row, "value"));
    FLEETMARK_ASSIGN_OR_RETURN(const PublishedEvidence evidence, EvidenceIn(table, row));
    reference.verdict = JudgePublished(reference.value, evidence);
    references->push_back(std::move(reference));
  }
  return OkStatus();
}

// The means of a file with a row a call, by system, device and metric.
class CallMeans {
 public:
  CallMeans(const Table& table, std::string workload) : table_(table), workload_(std::move(workload)) {}

  // `counts`: it is one of those that the mean is of.
  void Add(const Row& row, const std::string& metric, const std::string& note, const PublishedCall& call, bool counts) {
    Reference reference = Start(table_, workload_, row);
    reference.metric = metric;
    reference.unit = "s";
    reference.is_derived = true;
    reference.note = note;
    Sum& sum = sums_.try_emplace({reference.system, reference.device, metric}, Sum{reference}).first->second;
    sum.reference.calls.push_back(call);
    if (!counts) return;
    sum.reference.value += call.value;
    ++sum.count;
  }

  void AppendTo(std::vector<Reference>* references) const {
    for (const auto& [key, sum] : sums_) {
      if (sum.count == 0) continue;
      references->push_back(sum.reference);
      references->back().value /= sum.count;
    }
  }

 private:
  struct Sum {
    Reference reference;  // its value the total so far
    int count = 0;
  };
  const Table& table_;
  const std::string workload_;
  std::map<std::tuple<std::string, std::string, std::string>, Sum> sums_;
};

// A row a call. The first call is apart: it builds the graph. The article's own mean is over calls 3 and 4.
Status AddCalls(const Table& table, const std::string& workload, std::vector<Reference>* references) {
  CallMeans means(table, workload);
  for (const Row& row : table.rows) {
    PublishedCall call;
    FLEETMARK_ASSIGN_OR_RETURN(call.script, CountIn(table, row, "script"));
    FLEETMARK_ASSIGN_OR_RETURN(call.call, CountIn(table, row, "call"));
    for (const std::string& column : {std::string("wall_s"), std::string("process_s")}) {
      FLEETMARK_ASSIGN_OR_RETURN(call.value, NumberIn(table, row, column));
      means.Add(row, column, "mean of calls 3 and 4", call, call.call >= 3);
      if (call.call == 1 && column == "wall_s") {
        means.Add(row, "first_call_s", "mean of the first calls", call, true);
      }
    }
  }
  means.AppendTo(references);
  return OkStatus();
}

// Puts each claim to the row that it is about. One about rows that there are not is a mistake in the file.
Status AddClaims(const Table& table, const std::string& workload, std::vector<Reference>* references) {
  for (const Claim& claim : table.claims) {
    const auto row_of = [&](const std::string& device) {
      return std::find_if(references->begin(), references->end(), [&](const Reference& reference) {
        return reference.workload == workload && reference.metric == claim.metric && reference.device == device;
      });
    };
    const auto row = row_of(claim.device);
    if (row == references->end() || row_of(claim.against) == references->end()) {
      return InvalidArgument(claim.place + ": no two rows have " + claim.metric + " of \"" + claim.device +
                             "\" and of \"" + claim.against + "\"");
    }
    row->claim = claim.claim;
    row->claim_against = claim.against;
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<Reference>> ReadReferences(const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".csv") paths.push_back(entry.path());
  }
  if (error) {
    return NotFound("cannot read the published numbers in " + directory.string() + ": " + error.message(),
                    "name their directory with --reference-dir");
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Reference> references;
  for (const std::filesystem::path& path : paths) {
    FLEETMARK_ASSIGN_OR_RETURN(const Table table, ReadTable(path));
    const std::string workload = path.stem().string();
    FLEETMARK_RETURN_IF_ERROR(table.has_calls() ? AddCalls(table, workload, &references)
                                                : AddRows(table, workload, &references));
    FLEETMARK_RETURN_IF_ERROR(AddClaims(table, workload, &references));
  }
  AddDerived(&references);
  return references;
}

v1::Reference ToProto(const Reference& reference) {
  v1::Reference message;
  message.set_workload(reference.workload);
  message.set_system(reference.system);
  message.set_device_kind(reference.device_kind);
  message.set_device(reference.device);
  message.set_runtime(reference.runtime);
  message.set_metric(reference.metric);
  message.set_unit(reference.unit);
  message.set_value(reference.value);
  message.set_derived(reference.is_derived);
  message.set_note(reference.note);
  message.set_published_in(reference.source);
  message.set_claim(reference.claim);
  message.set_claim_against(reference.claim_against);
  *message.mutable_verdict() = reference.verdict;
  for (const PublishedCall& published : reference.calls) {
    v1::PublishedCall& call = *message.add_calls();
    call.set_script(published.script);
    call.set_call(published.call);
    call.set_value(published.value);
  }
  return message;
}

}  // namespace fleetmark
