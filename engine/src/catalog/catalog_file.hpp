// What tether.json says, before any file that it names is read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/source_text.hpp"
#include "tether/engine.hpp"
#include "tether/error_handler.hpp"

namespace tether {

/// Paths are as they are written.
struct CatalogFile {
  struct CommandEntry {
    std::string type;
    std::optional<std::string> sql;  // absent: a host runs it
    std::optional<std::string> schema;
    std::optional<std::string> key;  // a JSON pointer
    std::optional<Duration> timeout;
    std::optional<Duration> hold;
    std::optional<RetryPolicy> retry;    // complete: over the catalog's defaults
    std::vector<std::string> ownErrors;  // the classes that its own "retry" names
    std::optional<Breaker> breaker;      // complete, too
    bool blocksKeyWhenDead = false;
  };

  EngineOptions options;  // without migrations; `store` as written
  std::optional<std::string> migrations;
  std::vector<CommandEntry> commands;                         // by type
  std::map<std::string, std::vector<std::string>> reactions;  // event type -> command types
};

/// Throws Invalid with file:line:column for anything that is not known to be right.
CatalogFile parseCatalogFile(const SourceText& source);

}  // namespace tether
