#include "session.hpp"

#include <fmt/format.h>

#include <istream>
#include <map>
#include <ostream>
#include <system_error>

#include "exit.hpp"
#include "tether/adapters.hpp"
#include "tether/sqs.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> lookUp(const Environment& environment, const std::string& name) {
  auto value = environment(name);
  if (value && value->empty()) value.reset();
  return value;
}

/// --color, then the variables that other tools understand, then the terminal.
bool wantsColours(const Streams& streams, const Environment& environment,
                  const std::string& color) {
  if (color == "always") return true;
  if (color == "never") return false;
  if (lookUp(environment, "NO_COLOR")) return false;
  if (lookUp(environment, "TERM").value_or("dumb") == "dumb") return false;
  return streams.outIsTerminal;
}

std::string chosenColor(const GlobalOptions& globals, const Environment& environment) {
  if (!globals.color.empty()) return globals.color;
  return lookUp(environment, "TETHER_COLOR").value_or("auto");
}

Printer::Settings printerSettings(const Streams& streams, const Environment& environment,
                                  const GlobalOptions& globals) {
  const auto form = globals.ndjson ? Printer::Form::Ndjson
                    : globals.json ? Printer::Form::Json
                                   : Printer::Form::People;
  const bool live = streams.errIsTerminal && lookUp(environment, "TERM").value_or("dumb") != "dumb";
  return {form, wantsColours(streams, environment, chosenColor(globals, environment)),
          globals.quiet, globals.verbosity, live};
}

std::string readAtMost(std::istream& in, std::size_t bytesMax) {
  std::string text(bytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

Session::Session(Streams streams, Environment environment, GlobalOptions globals)
    : streams_(streams),
      environment_(std::move(environment)),
      globals_(std::move(globals)),
      printer_(streams_.out, streams_.err, printerSettings(streams_, environment_, globals_)) {
  const auto color = colorSetting();
  if (color.value != "auto" && color.value != "always" && color.value != "never") {
    throw Error(ErrorCode::Invalid, fmt::format("{} must be auto, always or never, not {}",
                                                color.from, quote(color.value)));
  }
}

Session::~Session() = default;

std::optional<std::string> Session::env(const std::string& name) const {
  return lookUp(environment_, name);
}

fs::path Session::folder() const {
  std::error_code error;
  if (globals_.folder.empty()) {
    auto here = fs::current_path(error);
    if (error) throw Error(ErrorCode::Invalid, "the working folder is gone: " + error.message());
    return here;
  }
  if (!fs::is_directory(globals_.folder, error)) {
    throw Error(ErrorCode::Invalid, fmt::format("-C: {} is no folder", quote(globals_.folder)));
  }
  return fs::absolute(globals_.folder);
}

fs::path Session::resolve(const std::string& path) const {
  return (folder() / path).lexically_normal();
}

std::ifstream Session::openFile(const std::string& path) const {
  const auto resolved = resolve(path);
  std::error_code error;
  if (fs::is_directory(resolved, error)) {
    throw Error(ErrorCode::Invalid, fmt::format("{} is a folder, not a file", quote(path)));
  }
  std::ifstream file(resolved, std::ios::binary);
  if (!file) {
    const bool missing = !fs::exists(resolved, error) && !error;
    throw Error(ErrorCode::Invalid,
                fmt::format("cannot read file {}: {}", quote(path),
                            missing ? "there is no such file" : "check its permissions"));
  }
  return file;
}

std::string Session::read(const std::string& source, std::size_t bytesMax) {
  if (source == "-") return readAtMost(streams_.in, bytesMax);
  auto file = openFile(source);
  return readAtMost(file, bytesMax);
}

std::optional<fs::path> Session::catalogFile() const { return Catalog::find(folder()); }

const Catalog& Session::catalog() {
  if (!catalog_) {
    const auto file = catalogFile();
    if (!file) {
      throw Error(ErrorCode::Invalid,
                  fmt::format("no tether.json in {} or a folder above it; make one with "
                              "'tether init'",
                              folder().string()));
    }
    catalog_ = Catalog::load(*file);
  }
  return *catalog_;
}

Setting Session::storeSetting() {
  const auto whole = [&](const std::string& text) {
    return StoreAddress(text).isServer() ? text : resolve(text).string();
  };
  if (!globals_.store.empty()) return {whole(globals_.store), "--store"};
  if (const auto value = env("TETHER_STORE")) return {whole(*value), "TETHER_STORE"};
  return {catalog().options().store.text(), "tether.json"};
}

Setting Session::colorSetting() const {
  if (!globals_.color.empty()) return {globals_.color, "--color"};
  if (const auto value = env("TETHER_COLOR")) return {*value, "TETHER_COLOR"};
  return {"auto", "default"};
}

std::string whyNoTransport(const std::string& address) {
  const auto why = fmt::format("this program has no transport for {}", quote(address));
  const bool queueUrl = address.starts_with("https://") && address.find("sqs") != address.npos;
  if (!queueUrl) return why + "; it knows local, memory and sqs://NAME";
  return fmt::format("{}; a queue on SQS is written sqs://{}?region=…", why,
                     address.substr(address.find_last_of('/') + 1));
}

Store& Session::store() {
  if (!store_) store_ = openStore(StoreOptions{}.patience);
  return *store_;
}

Operations& Session::operations() {
  if (!operations_) {
    OperationsOptions options;
    if (const auto project = projectOptions()) {
      options.windows = DedupWindows{project->dedupWindow, project->idempotency};
      for (const auto& [name, address] : project->queues) options.queues.push_back(name);
      options.queues.insert(options.queues.end(), project->listen.begin(), project->listen.end());
    }
    operations_.emplace(store(), clock(), std::move(options));
  }
  return *operations_;
}

std::unique_ptr<Store> Session::openStore(Duration patience) {
  const auto setting = storeSetting();
  try {
    return tether::openStore(
        {.address = setting.value, .patience = patience, .checkpoints = checkpoints()}, clock());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unsupported) {
      throw Error(error.code(), fmt::format("{} (from {})", error.what(), setting.from));
    }
    if (error.code() != ErrorCode::NotFound) throw;
    throw Error(ErrorCode::NotFound,
                fmt::format("no store at {} (from {}); 'tether submit', 'tether listen' or "
                            "'tether store migrate' makes it",
                            setting.value, setting.from));
  }
}

void Session::requireTransports() {
  for (const auto& [name, address] : catalog().options().queues) {
    if (!address.isRemote() || opens(address)) continue;
    throw Error(ErrorCode::Invalid, fmt::format("{}: queues.{}: {}", catalog().file().string(),
                                                name, whyNoTransport(address.text())));
  }
}

EngineOptions Session::engineOptions(bool create) {
  requireTransports();
  auto options = catalog().options();
  options.store = storeSetting().value;
  options.create = create;
  return options;
}

std::unique_ptr<Engine> Session::open(EngineOptions options) {
  auto engine = std::make_unique<Engine>(std::move(options));
  catalog().install(*engine);
  return engine;
}

Engine& Session::engine(bool create) {
  if (!engine_) {
    auto options = engineOptions(create);
    // A verb that does one thing must not sit out an outage: a relay tries again.
    options.transports = [this](const std::string& address) -> std::shared_ptr<Transport> {
      constexpr Duration kPatience = std::chrono::seconds{2};
      return opens(address) ? openTransport(address, clock(), kPatience) : nullptr;
    };
    engine_ = open(std::move(options));
  }
  return *engine_;
}

std::optional<EngineOptions> Session::projectOptions() {
  try {
    if (catalogFile()) return catalog().options();
  } catch (const Error&) {
    // A store can be looked at beside a project that is broken.
  }
  return {};
}

Checkpoints Session::checkpoints() {
  const auto options = projectOptions();
  return options ? options->checkpoints : Checkpoints::Own;
}

std::string Session::remoteCommands() {
  const auto options = projectOptions();
  if (!options) return {};
  const auto& address = options->addressOf("commands");
  return address.isRemote() ? address.text() : std::string();
}

view::Here Session::here() {
  view::Here here{.remote = remoteCommands()};
  try {
    if (!catalogFile()) return here;
    here.declared.emplace();
    for (const auto& type : catalog().commandTypes()) here.declared->insert(type.name);
  } catch (const Error&) {
    here.declared.reset();  // a store can be looked at beside a project that is broken
  }
  return here;
}

void Session::confirm(const std::string& question, bool yes) {
  if (yes) return;
  if (!streams_.inIsTerminal || !streams_.errIsTerminal) {
    throw Stop(kUnconfirmed, "unconfirmed", question + " (add --yes to confirm)");
  }
  streams_.err << escapeForTerminal(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(streams_.in, answer);
  if (answer != "y" && answer != "Y" && answer != "yes") {
    throw Stop(kUnconfirmed, "declined", "declined, nothing was done");
  }
}

}  // namespace tether::cli
