#include <CLI/CLI.hpp>

#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/verb.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {
namespace {

class LogsVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Print what a run's worker wrote to its standard error",
            "Of the last attempt, as far as it is there now. In a terminal control characters are shown as \"?\".",
            "fleetmark logs k3v8q2m0",
            {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("run", id_, "The run; its id may be shortened")->required()->type_name("RUN");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    v1::GetLogRequest request;
    request.set_run_id(id_);
    v1::LogDocument document;
    document.set_run_id(id_);
    Console& console = session.console;
    const bool is_terminal = console.terminal().is_terminal;
    grpc::ClientContext context;
    FLEETMARK_RETURN_IF_ERROR((session.client.Stream<v1::GetLogRequest, v1::Chunk>(
        &Client::Stub::GetLog, request, &context, [&](const v1::Chunk& chunk) {
          if (console.json()) {
            document.mutable_log()->append(chunk.data());
          } else {
            console.out() << (is_terminal ? PrintableLines(chunk.data()) : chunk.data()) << std::flush;
          }
          return OkStatus();
        })));
    if (console.json()) {
      document.set_log(ValidUtf8(document.log()));
      console.PrintDocument(document);
    }
    return ExitCode::kDone;
  }

 private:
  std::string id_;
};

}  // namespace

std::unique_ptr<Verb> MakeLogs() { return std::make_unique<LogsVerb>(); }

}  // namespace fleetmark
