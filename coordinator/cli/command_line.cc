#include "coordinator/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "common/settings.h"
#include "common/suggest.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

constexpr char kGlobalFlags[] =
    "Flags of every verb: --coordinator, --insecure, --json, --config (see fleetmark --help)";

struct CommandLine {
  std::string coordinator = "127.0.0.1:7800";
  bool insecure = false;
  bool json = false;
  Settings settings;
  std::vector<NamedVerb> verbs = MakeVerbs();
  CLI::App app{"Fleetmark: how fast does each of your machines train, and can the number be trusted?", "fleetmark"};
};

std::string DefaultConfigFile() {
  if (const char* base = std::getenv("XDG_CONFIG_HOME"); base != nullptr && *base != '\0') {
    return std::string(base) + "/fleetmark/config.toml";
  }
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.config/fleetmark/config.toml";
}

std::string Footer(const VerbHelp& help) {
  std::vector<ExitCode> codes = {ExitCode::kDone, ExitCode::kUsage, ExitCode::kUnreachable,
                                 ExitCode::kCoordinatorError};
  codes.insert(codes.end(), help.exit_codes.begin(), help.exit_codes.end());
  std::sort(codes.begin(), codes.end());
  std::string text = "\nExample:\n  " + help.example + "\n\nExit codes:\n";
  for (const ExitCode code : codes) {
    const std::string number = std::to_string(static_cast<int>(code));
    text += "  " + number + std::string(5 - number.size(), ' ') + ExitCodeMeaning(code) + "\n";
  }
  return text + "\n" + kGlobalFlags;
}

void Declare(CommandLine* line) {
  CLI::App& app = line->app;
  line->settings.Add("coordinator", &line->coordinator, "Address of the coordinator, HOST:PORT");
  line->settings.Add("insecure", &line->insecure, "Talk beyond loopback without encryption or authentication");
  line->settings.SetDefaultFile(DefaultConfigFile());
  line->settings.AddTo(&app);
  app.add_flag("--json", line->json, "Print exactly one JSON document, errors included");
  app.set_help_flag("-h,--help", "Print this and exit");
  app.require_subcommand(0, 1);
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  app.get_formatter()->label("REQUIRED", "");
  app.allow_extras();
  app.footer(
      "\nThe configuration file, when it is there: ~/.config/fleetmark/config.toml\n"
      "Help on one verb: fleetmark VERB --help\nFirst steps: fleetmark demo");
  for (const NamedVerb& named : line->verbs) {
    const VerbHelp help = named.verb->Help();
    CLI::App* sub = app.add_subcommand(named.name, help.summary);
    sub->group("Verbs");
    sub->set_help_flag("-h,--help", "Print this and exit");
    sub->fallthrough();
    sub->footer(Footer(help));
    named.verb->Declare(sub);
  }
}

const NamedVerb* ChosenVerb(const CommandLine& line) {
  for (const NamedVerb& named : line.verbs) {
    if (line.app.got_subcommand(named.name)) return &named;
  }
  return nullptr;
}

// "--wait", for each flag that may stand here.
std::vector<std::string> FlagsOf(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::vector<std::string> SubcommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

// What was on the command line and has no meaning there.
Status CheckNothingLeft(const CommandLine& line) {
  const std::vector<std::string> left = line.app.remaining(true);
  if (left.empty()) return OkStatus();
  const NamedVerb* verb = ChosenVerb(line);
  const std::string& word = left.front();
  const bool is_flag = word.size() > 1 && word.front() == '-';
  if (verb == nullptr && !is_flag) {
    std::vector<std::string> names;
    for (const NamedVerb& named : line.verbs) names.push_back(named.name);
    return InvalidArgument("there is no verb \"" + word + "\"", SuggestFrom(word, names));
  }
  const std::string command = verb == nullptr ? "fleetmark" : "fleetmark " + verb->name;
  if (!is_flag) {
    const std::vector<std::string> actions = SubcommandsOf(*line.app.get_subcommand(verb->name));
    return InvalidArgument("`" + command + "` does not take \"" + word + "\"",
                           actions.empty() ? "see " + command + " --help" : SuggestFrom(word, actions));
  }
  std::vector<std::string> flags = FlagsOf(line.app);
  if (verb != nullptr) {
    for (const std::string& flag : FlagsOf(*line.app.get_subcommand(verb->name))) flags.push_back(flag);
  }
  const std::string near = Nearest(word.substr(0, word.find('=')), flags);
  return InvalidArgument("`" + command + "` has no flag " + word,
                         near.empty() ? "see " + command + " --help" : "did you mean " + near + "?");
}

Status Parse(const std::vector<std::string>& arguments, CommandLine* line) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    line->app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    throw;
  } catch (const CLI::ParseError& error) {
    // A misspelt flag is often the reason why something else is missing.
    FLEETMARK_RETURN_IF_ERROR(CheckNothingLeft(*line));
    const NamedVerb* verb = ChosenVerb(*line);
    const std::string command = verb == nullptr ? "fleetmark" : "fleetmark " + verb->name;
    return InvalidArgument("`" + command + "`: " + error.what(), "see " + command + " --help");
  }
  return CheckNothingLeft(*line);
}

StatusOr<ExitCode> RunVerb(CommandLine* line, Console* console, Signals* signals) {
  const NamedVerb* verb = ChosenVerb(*line);
  if (verb == nullptr) {
    if (!console->json()) console->err() << line->app.help() << "\n";
    return InvalidArgument("no verb was given", "fleetmark --help lists them; fleetmark demo is a good first one");
  }
  FLEETMARK_RETURN_IF_ERROR(line->settings.Resolve());
  Client client(line->coordinator, line->insecure);
  Session session{*console, client, signals};
  return verb->verb->Run(session);
}

// The list of verbs says what each does in one line; its own help says more.
std::string HelpText(CommandLine* line) {
  const NamedVerb* verb = ChosenVerb(*line);
  if (verb == nullptr) return line->app.help();
  const VerbHelp help = verb->verb->Help();
  line->app.get_subcommand(verb->name)
      ->description(help.summary + "\n" + help.details + (help.details.empty() ? "" : "\n"));
  return line->app.help();
}

}  // namespace

int RunCommandLine(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  // Looked for by hand, since it also decides how a command line that cannot be parsed is reported.
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  Console console(surroundings.out, surroundings.err, surroundings.measure, surroundings.clock, json);
  CommandLine line;
  Declare(&line);
  Status status;
  try {
    status = Parse(arguments, &line);
  } catch (const CLI::CallForHelp&) {
    console.out() << HelpText(&line) << std::flush;
    return 0;
  }
  if (status.ok()) {
    const StatusOr<ExitCode> code = RunVerb(&line, &console, surroundings.signals);
    if (code.ok()) return static_cast<int>(*code);
    status = code.status();
  }
  console.PrintError(status);
  return static_cast<int>(ExitCodeOf(status));
}

}  // namespace fleetmark
