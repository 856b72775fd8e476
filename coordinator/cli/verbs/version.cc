#include <CLI/CLI.hpp>

#include "common/build_info.h"
#include "common/protocol_version.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/error_info.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

std::string Described(const v1::VersionInfo& info) {
  std::string text = info.version() + " (" + info.git_revision() + "), protocol " + std::to_string(info.protocol_min());
  if (info.protocol_max() != info.protocol_min()) text += " to " + std::to_string(info.protocol_max());
  return Printable(text);
}

class VersionVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Print the version of this program and of the coordinator",
            "Without a coordinator it says so and still exits with 0.",
            "fleetmark version --json",
            {}};
  }

  void Declare(CLI::App*) override {}

  StatusOr<ExitCode> Run(Session& session) override {
    v1::VersionDocument document;
    v1::VersionInfo& client = *document.mutable_client();
    client.set_version(std::string(GetBuildInfo().version));
    client.set_git_revision(std::string(GetBuildInfo().git_revision));
    client.set_protocol_min(SpokenProtocols().min);
    client.set_protocol_max(SpokenProtocols().max);
    const StatusOr<v1::VersionInfo> coordinator =
        session.client.Call(&Client::Stub::GetVersion, v1::GetVersionRequest());
    if (coordinator.ok()) {
      *document.mutable_coordinator() = *coordinator;
      const StatusOr<int> spoken =
          NegotiateProtocol({kCommandLineSide, SpokenProtocols()},
                            {kCoordinatorSide, {coordinator->protocol_min(), coordinator->protocol_max()}});
      if (!spoken.ok()) *document.mutable_coordinator_error() = ToErrorInfo(spoken.status());
    } else {
      *document.mutable_coordinator_error() = ToErrorInfo(coordinator.status());
    }
    Print(session, document);
    return ExitCode::kDone;
  }

 private:
  static void Print(Session& session, const v1::VersionDocument& document) {
    Console& console = session.console;
    if (console.json()) {
      console.PrintDocument(document);
      return;
    }
    console.out() << "fleetmark    " << Described(document.client()) << "\n";
    if (document.has_coordinator()) {
      const v1::VersionInfo& info = document.coordinator();
      console.out() << "coordinator  " << Described(info) << ", at " << session.client.address() << ", cluster "
                    << info.cluster_id() << ", epoch " << info.coordinator_epoch() << ", schema "
                    << info.schema_version() << "\n";
    }
    if (document.has_coordinator_error()) {
      console.out() << "coordinator  " << Printable(document.coordinator_error().message()) << "\n";
    }
    if (document.has_coordinator() && document.has_coordinator_error()) {
      console.out() << "  hint: " << Printable(document.coordinator_error().hint()) << "\n";
    }
  }
};

}  // namespace

std::unique_ptr<Verb> MakeVersion() { return std::make_unique<VersionVerb>(); }

}  // namespace fleetmark
