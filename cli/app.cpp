#include "app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <new>
#include <system_error>

#include "command_line.hpp"
#include "commands/all.hpp"
#include "hints.hpp"
#include "tether/seam.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

constexpr const char* kVersion = TETHER_VERSION;

void addGlobals(CLI::App& app, GlobalOptions& globals) {
  const std::string group = "Everywhere";
  app.add_option("-C", globals.folder, "Work as if started in this folder")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--store", globals.store, "The store file, instead of the catalog's")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--json", globals.json, "Print one JSON object")->group(group);
  app.add_flag("--ndjson", globals.ndjson, "Print one JSON object a line")->group(group);
  app.add_option("--color", globals.color, "auto, always or never")
      ->type_name("WHEN")
      ->group(group);
  app.add_flag("-q,--quiet", globals.quiet, "Say only what was asked for")->group(group);
  app.add_flag("-v,--verbose", globals.verbosity, "Say more")->group(group);
}

/// The verb that the arguments named so far, or the tool itself.
const CLI::App& deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.front());
}

std::vector<std::string> verbsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!verb->get_group().empty()) names.push_back(verb->get_name());
  }
  return names;
}

std::vector<std::string> flagsOf(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const auto* option : app->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string pathOf(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : pathOf(*parent) + " " + app.get_name();
}

/// What is wrong with a command line that CLI11 refused; with the nearest right word.
std::string explain(const CLI::App& app, const std::string& fallback) {
  const auto extras = app.remaining(true);
  const auto& verb = deepest(app);
  const auto help = fmt::format("; see '{} --help'", pathOf(verb));
  if (extras.empty()) return fallback + help;
  const std::string word = extras.front().substr(0, extras.front().find('='));
  const bool flag = word.size() > 1 && word.front() == '-';
  const auto verbs = verbsOf(verb);
  const auto kind = flag ? "option" : verbs.empty() ? "argument" : "verb";
  return fmt::format("unknown {} {}{}", kind, quote(word),
                     didYouMean(word, flag ? flagsOf(&verb) : verbs, help));
}

/// The one message of CLI11 that nobody would understand.
std::string inOurWords(std::string message) {
  const auto twice = message.find(": At Most 1 required");
  return twice == std::string::npos ? message : message.substr(0, twice) + " was given twice";
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

/// CLI11 takes `--store= x` for the value x.
void refuseOpenEnds(const std::vector<std::string>& arguments) {
  for (const auto& argument : arguments) {
    if (argument == "--") return;
    if (argument.size() > 3 && argument.starts_with("--") &&
        argument.find('=') == argument.size() - 1) {
      throw Error(ErrorCode::Invalid, fmt::format("{} needs a value after the =", argument));
    }
  }
}

/// An empty value is a variable that a script forgot to set. To take it for "not given" would, of
/// an id, quietly end deduplication. Looks at every verb that the command line chose.
void refuseEmptyValues(const CLI::App& app) {
  for (const auto* option : app.get_options()) {
    // Others say themselves what is wrong with an empty one; a message may be empty.
    constexpr std::array kArguments = {"ID", "RECEIPT", "QUEUE", "FILE", "PATH", "DIR"};
    if (option->get_positional() &&
        std::ranges::find(kArguments, option->get_name()) == kArguments.end()) {
      continue;
    }
    for (const auto& value : option->results()) {
      if (!value.empty()) continue;
      if (option->get_name() == "ID") {
        throw Error(ErrorCode::Invalid,
                    fmt::format("{} needs an id, it was given an empty one", pathOf(app)));
      }
      throw Error(ErrorCode::Invalid,
                  fmt::format("{} needs a value, it was given an empty one", option->get_name()));
    }
  }
  for (const auto* verb : app.get_subcommands()) refuseEmptyValues(*verb);
}

/// Fills in `line`; false: all was said already (help, version).
bool parse(CommandLine& line, std::vector<std::string> arguments, Printer& print) {
  refuseOpenEnds(arguments);
  // As other tools have it; flags may come before.
  const auto first = std::ranges::find_if(
      arguments, [](const std::string& argument) { return !argument.starts_with('-'); });
  if (first != arguments.end() && *first == "help") {
    arguments.erase(first);
    arguments.emplace_back("--help");
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    line.app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    if (!line.app.remaining(true).empty()) throw Error(ErrorCode::Invalid, explain(line.app, ""));
    const auto help = line.app.help();
    print.answer("help", {{"text", help}}, [&] { print.text(help); });
    return false;
  } catch (const CLI::CallForVersion& version) {
    print.answer("version", {{"version", kVersion}},
                 [&] { print.text(std::string(version.what()) + '\n'); });
    return false;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::Invalid, explain(line.app, inOurWords(error.what())));
  }
  refuseEmptyValues(line.app);
  if (!line.chosen) {
    const auto& noun = deepest(line.app);
    throw Error(ErrorCode::Invalid, fmt::format("{} needs a verb: {}; see '{} --help'",
                                                pathOf(noun), joined(verbsOf(noun)), pathOf(noun)));
  }
  return true;
}

int runChosen(Session& session, const Action& chosen) {
  auto& print = session.print();
  try {
    const int exit = chosen(session);
    print.flush();
    return exit;
  } catch (const Error& error) {
    print.failure(toString(error.code()), withHint(error));
    return exitOf(error.code());
  } catch (const Stop& stop) {
    print.failure(stop.code(), stop.what());
    return stop.exit();
  } catch (const std::bad_alloc&) {
    print.failure("unavailable", "out of memory");
    return kUnavailable;
  } catch (const std::filesystem::filesystem_error& error) {
    print.failure("invalid", error.what());
    return kUsage;
  } catch (const std::system_error& error) {  // no thread, for one
    print.failure("unavailable", fmt::format("the system refused what is needed: {}; see ulimit -a",
                                             error.code().message()));
    return kUnavailable;
  } catch (const std::exception& error) {
    print.failure("internal", fmt::format("a bug in Tether: {}", error.what()));
    return kBug;
  }
}

}  // namespace

std::unique_ptr<CommandLine> makeCommandLine() {
  auto line = std::make_unique<CommandLine>();
  auto& app = line->app;
  app.name("tether");
  app.description("Runs commands and keeps a tether to each of them.");
  app.footer(
      "Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 not found, 4 timed out,\n"
      "5 conflict, 6 partly done, 7 unavailable, 8 unconfirmed, 9 damaged store.\n"
      "Manual: tether(1), tether(7), tether.json(5).");
  app.get_formatter()->column_width(32);
  app.set_version_flag("--version", fmt::format("tether {}", kVersion), "Print the version");
  app.require_subcommand(0, 1);  // (1) would hide an unknown verb
  app.fallthrough();
  addGlobals(app, line->globals);

  const Verb tool(app);
  auto& chosen = line->chosen;
  addInit(tool, chosen);
  addSubmit(tool, chosen);
  addListen(tool, chosen);
  addRelay(tool, chosen);
  addStatus(tool, chosen);
  addWait(tool, chosen);
  addWatch(tool, chosen);
  addTrace(tool, chosen);
  addCommand(tool, chosen);
  addEvent(tool, chosen);
  addQueue(tool, chosen);
  addDlq(tool, chosen);
  addPolicy(tool, chosen);
  addStore(tool, chosen);
  addConfig(tool, chosen);
  addDoctor(tool, chosen);
  addScenario(tool, chosen);
  addBench(tool, chosen);
  addCompletion(tool, chosen);
  addIntrospection(tool, chosen);
  return line;
}

int runTool(const std::vector<std::string>& arguments, Streams streams, Environment environment) {
  try {
    const auto line = makeCommandLine();
    // Until the session stands, only the words themselves tell how to speak.
    const auto end = std::ranges::find(arguments, "--");
    const bool json = std::find(arguments.begin(), end, "--json") != end;
    Printer printer(streams.out, streams.err,
                    {.form = json ? Printer::Form::Json : Printer::Form::People});
    std::optional<Session> session;
    try {
      if (!parse(*line, arguments, printer)) {
        printer.flush();
        return kDone;
      }
      if (const auto crash = environment("TETHER_CRASH_AT")) armCrash(*crash);
      session.emplace(streams, std::move(environment), line->globals);
    } catch (const Error& error) {
      printer.failure(toString(error.code()), withHint(error));
      return exitOf(error.code());
    }
    return runChosen(*session, line->chosen);
  } catch (const OutputClosed&) {
    return kDone;
  } catch (const std::exception& error) {  // stdout itself failed
    streams.err << "tether: " << escapeForTerminal(error.what()) << '\n';
    return kUnavailable;
  }
}

Duration durationOf(std::string_view option, const std::string& text) {
  try {
    return parseDuration(text);
  } catch (const Error& error) {
    throw Error(ErrorCode::Invalid, fmt::format("{}: {}", option, error.what()));
  }
}

Time timeOf(std::string_view option, const std::string& text) {
  try {
    return parseTime(text);
  } catch (const Error& error) {
    throw Error(ErrorCode::Invalid, fmt::format("{}: {}", option, error.what()));
  }
}

std::size_t countOf(std::string_view option, const std::string& text, std::size_t least) {
  std::size_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || stop != end || count < least) {
    throw Error(ErrorCode::Invalid, fmt::format("{} must be a whole number from {}, not {}", option,
                                                least, quote(text)));
  }
  return count;
}

}  // namespace tether::cli
