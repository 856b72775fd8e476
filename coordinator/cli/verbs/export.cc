#include <CLI/CLI.hpp>

#include "common/proto_json.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/error_info.h"
#include "coordinator/cli/output_file.h"
#include "coordinator/cli/render/run_csv.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/run_filter.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

// Writes runs one by one, so that a large export needs no memory.
class RunWriter {
 public:
  RunWriter(std::ostream& out, bool csv) : out_(out), csv_(csv) { out_ << (csv_ ? CsvHeader() : "{\"runs\":["); }

  void Write(const v1::RunInfo& run) {
    out_ << (csv_ ? CsvRows(run) : (count_ > 0 ? ",\n" : "\n") + ToJson(run));
    ++count_;
  }

  // An export that broke off is still one document, which says so.
  void End(const Status& status) {
    if (csv_) return;
    out_ << "\n]";
    if (!status.ok()) out_ << ",\"error\":" << ToJson(ToErrorInfo(status));
    out_ << "}\n";
  }

  int count() const { return count_; }

 private:
  std::ostream& out_;
  const bool csv_;
  int count_ = 0;
};

class ExportVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Write runs with their whole results as JSON or CSV",
            "json is one document {\"runs\": [...]}, oldest first; csv has one row for each run and metric.",
            "fleetmark export --format csv --workload tensor_add --since 30d --output runs.csv",
            {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("--format", format_, "json or csv [json]")
        ->check(CLI::IsMember({"json", "csv"}).description(""))
        ->type_name("FORMAT");
    app->add_option("--output", output_, "Write to this file, whole or not at all [standard output]")
        ->type_name("FILE");
    flags_.Declare(app, "At most so many, the newest [all]");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    Console& console = session.console;
    FLEETMARK_ASSIGN_OR_RETURN(const v1::RunFilter filter, flags_.ToFilter(console.NowUnixS()));
    const bool csv = format_ == "csv";
    if (!output_.empty()) return ToFile(session, filter, csv);
    if (csv && console.json()) {
      return InvalidArgument("--json and --format csv contradict each other", "leave one out, or add --output FILE");
    }
    return ToConsole(session, filter, csv);
  }

 private:
  static Status Fetch(Session& session, const v1::RunFilter& filter,
                      const std::function<Status(const v1::RunInfo&)>& take) {
    grpc::ClientContext context;
    return session.client.Stream<v1::RunFilter, v1::RunInfo>(&Client::Stub::ExportRuns, filter, &context, take);
  }

  // The document is begun with the first run, so that an error before it is the usual error document.
  static StatusOr<ExitCode> ToConsole(Session& session, const v1::RunFilter& filter, bool csv) {
    std::optional<RunWriter> writer;
    const Status status = Fetch(session, filter, [&](const v1::RunInfo& run) {
      if (!writer) writer.emplace(session.console.out(), csv);
      writer->Write(run);
      return session.console.out() ? OkStatus() : Internal("cannot write to the standard output");
    });
    if (!status.ok() && !writer) return status;
    if (!writer) writer.emplace(session.console.out(), csv);
    writer->End(status);
    if (status.ok()) return ExitCode::kDone;
    if (csv) return status;
    session.console.err() << "error: the export broke off: " << Printable(status.message()) << "\n";
    return ExitCodeOf(status);
  }

  StatusOr<ExitCode> ToFile(Session& session, const v1::RunFilter& filter, bool csv) const {
    FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file, OutputFile::Create(output_));
    RunWriter writer(file->stream(), csv);
    FLEETMARK_RETURN_IF_ERROR(Fetch(session, filter, [&](const v1::RunInfo& run) {
      writer.Write(run);
      return file->Check();
    }));
    writer.End(OkStatus());
    FLEETMARK_RETURN_IF_ERROR(file->Commit());
    if (session.console.json()) {
      v1::ExportDocument document;
      document.set_output(output_);
      document.set_runs(writer.count());
      session.console.PrintDocument(document);
    } else {
      session.console.out() << "wrote " << writer.count() << (writer.count() == 1 ? " run to " : " runs to ") << output_
                            << "\n";
    }
    return ExitCode::kDone;
  }

  RunFilterFlags flags_;
  std::string format_ = "json", output_;
};

}  // namespace

std::unique_ptr<Verb> MakeExport() { return std::make_unique<ExportVerb>(); }

}  // namespace fleetmark
