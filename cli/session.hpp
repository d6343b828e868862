// What a verb is given: streams, settings and, when it asks for them, the catalog, the store and
// the engine. Nothing here is global, so that a test runs a verb in process.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "printer.hpp"
#include "tether/catalog.hpp"
#include "tether/engine.hpp"
#include "tether/store.hpp"
#include "tether/waits_for.hpp"

namespace tether::cli {

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool inIsTerminal = false;
  bool outIsTerminal = false;
  bool errIsTerminal = false;
};

/// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Flags that every verb takes.
struct GlobalOptions {
  std::string folder;  // -C
  std::string store;   // --store
  std::string color;   // --color: auto, always, never
  bool json = false;
  bool ndjson = false;
  bool quiet = false;
  int verbosity = 0;
};

/// A setting and who decided it: a flag, a variable, a file or "default".
struct Setting {
  std::string value;
  std::string from;
};

/// For people, of an address for which there is no transport here.
std::string whyNoTransport(const std::string& address);

class Session {
 public:
  Session(Streams streams, Environment environment, GlobalOptions globals);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Printer& print() { return printer_; }
  std::istream& in() { return streams_.in; }
  const Streams& streams() const { return streams_; }
  const GlobalOptions& globals() const { return globals_; }
  /// Not set and set to nothing are the same.
  std::optional<std::string> env(const std::string& name) const;
  Clock& clock() const { return systemClock(); }

  /// -C DIR, else the working folder. Throws Invalid when it is no folder.
  std::filesystem::path folder() const;
  /// A path from the command line: relative to folder().
  std::filesystem::path resolve(const std::string& path) const;
  /// Throws Invalid when it cannot be read or is a folder.
  std::ifstream openFile(const std::string& path) const;
  /// A whole file, or stdin for "-", at most `bytesMax` and one more (so that a limit can be seen
  /// to be passed). Throws Invalid when it cannot be read.
  std::string read(const std::string& source, std::size_t bytesMax);

  /// The tether.json of the folder or the nearest above; nothing when there is none.
  std::optional<std::filesystem::path> catalogFile() const;
  /// Throws Invalid when there is none, or it is wrong.
  const Catalog& catalog();

  /// Path of the store file: --store, TETHER_STORE, tether.json. Throws Invalid when nobody names
  /// it.
  Setting storeSetting();
  Setting colorSetting() const;

  /// The store, which must exist; NotFound says how to make it. Needs no catalog when the store is
  /// named.
  Store& store();
  /// Over store(), with the windows of the project, if there is one that can be read.
  Operations& operations();
  /// The same, another time, for a verb that waits for a lock at most `patience`.
  std::unique_ptr<Store> openStore(Duration patience);

  /// Throws Invalid when a queue of the project leads where this program has no way to. Whoever
  /// only looks at the store of such a project need not know: a host with transports of its own
  /// works on it.
  void requireTransports();
  /// Options for an engine over the catalog and storeSetting(); a verb changes them before open().
  EngineOptions engineOptions(bool create);
  /// As the project says; Own without one that can be read.
  Checkpoints checkpoints();
  /// The address that the project hands its commands over to; empty: they run from the store.
  std::string remoteCommands();
  /// What reasons to wait are told with; nothing of a project that is broken.
  view::Here here();

  /// An engine with the catalog's commands installed.
  std::unique_ptr<Engine> open(EngineOptions options);
  /// One engine for the run, made at the first call.
  Engine& engine(bool create);

  /// True for `yes`; asks on a terminal; else ends the verb with exit 8.
  void confirm(const std::string& question, bool yes);

 private:
  /// Nothing without a project that can be read.
  std::optional<EngineOptions> projectOptions();

  Streams streams_;
  Environment environment_;
  GlobalOptions globals_;
  Printer printer_;
  std::optional<Catalog> catalog_;
  std::unique_ptr<Store> store_;
  std::optional<Operations> operations_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace tether::cli
