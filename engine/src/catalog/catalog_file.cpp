#include "catalog/catalog_file.hpp"

#include <algorithm>
#include <utility>

#include "catalog/config_value.hpp"
#include "catalog/retry_section.hpp"
#include "tether/adapters.hpp"
#include "tether/envelope.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

constexpr int kWorkersMax = 256;
constexpr int kPrefetchMax = 10000;
constexpr int kFailuresMax = 1000000;

/// The longest retention of an SQS queue: so long it may deliver a message again.
constexpr Duration kRemoteRetentionMax = std::chrono::days{14};

/// Names of types and queues travel as ids do.
void checkName(const char* what, const std::string& name, const ConfigValue& at) {
  try {
    checkId(what, name);
  } catch (const Error& error) {
    at.failAtKey(error.what());
  }
}

Breaker parseBreaker(const ConfigValue& value, Breaker breaker) {
  value.allowKeys({"failures", "probe"});
  if (const auto field = value.find("failures")) {
    breaker.failures = field->integer(0, kFailuresMax);
  }
  if (const auto field = value.find("probe")) breaker.probe = field->duration();
  return breaker;
}

void parseDefaults(const ConfigValue& value, EngineOptions& options) {
  value.allowKeys(
      {"timeout", "hold", "retention", "idempotency", "retry", "breaker", "workers", "prefetch"});
  if (const auto field = value.find("timeout")) options.timeout = field->duration();
  if (const auto field = value.find("hold")) options.hold = field->duration();
  if (const auto field = value.find("retention")) options.retention = field->duration();
  if (const auto field = value.find("idempotency")) options.idempotency = field->duration();
  if (const auto field = value.find("retry")) options.retry = parseRetry(*field);
  if (const auto field = value.find("breaker")) {
    options.breaker = parseBreaker(*field, options.breaker);
  }
  if (const auto field = value.find("workers")) options.workers = field->integer(1, kWorkersMax);
  if (const auto field = value.find("prefetch")) {
    options.prefetch = static_cast<std::size_t>(field->integer(1, kPrefetchMax));
  }
}

/// Whether an address can be opened is for the transports to say.
void parseQueues(const ConfigValue& value, bool isVolatile, EngineOptions& options) {
  for (const auto& [name, target] : value.members()) {
    checkName("queue", name, target);
    const QueueAddress address(target.text());
    if (!address.isValid()) {
      target.fail("must be \"local\", \"memory\" or an address like \"sqs://orders\", not " +
                  quote(address.text()));
    }
    try {
      checkAddress(address);
    } catch (const Error& error) {
      target.fail(error.what());
    }
    if (name == "commands" && address.inMemory() && !isVolatile) {
      target.fail(
          "\"memory\" forgets accepted commands when the process ends; "
          "set \"volatile\": true if that is meant");
    }
    options.queues[name] = address;
  }
}

std::vector<std::string> parseListen(const ConfigValue& value, const EngineOptions& options) {
  std::vector<std::string> known;
  for (const auto& [queue, target] : options.queues) known.push_back(queue);
  std::vector<std::string> listen;
  for (const ConfigValue& element : value.oneOrMore()) {
    const std::string queue = element.text();
    if (!options.queues.contains(queue)) {
      element.fail(quote(queue) + " is not among \"queues\"" + didYouMean(queue, known));
    }
    if (std::find(listen.begin(), listen.end(), queue) != listen.end()) {
      element.fail(quote(queue) + " is there twice");
    }
    listen.push_back(queue);
  }
  return listen;
}

/// What a remote queue delivers again must be known as a duplicate.
Duration dedupWindowOf(const EngineOptions& options) {
  for (const auto& queue : options.listen) {
    if (options.addressOf(queue).isRemote()) return kRemoteRetentionMax;
  }
  return Duration{0};
}

/// Who waits for answers must hear them, and have asked somebody else to do the work.
void parseReplyTo(const ConfigValue& root, EngineOptions& options) {
  const auto resend = root.find("resend");
  const auto field = root.find("replyTo");
  if (!field) {
    if (resend) resend->fail("needs \"replyTo\": without an answer nobody knows what is still out");
    return;
  }
  options.replyTo = field->text();
  if (options.replyTo == "commands") field->fail("must be another queue than \"commands\"");
  if (!options.addressOf(options.replyTo).isRemote()) {
    field->fail(quote(options.replyTo) + " is not among \"queues\" with an address");
  }
  if (!options.addressOf("commands").isRemote()) {
    field->fail("is for commands that go elsewhere, but \"commands\" has no address in \"queues\"");
  }
  if (std::find(options.listen.begin(), options.listen.end(), options.replyTo) ==
      options.listen.end()) {
    field->fail("nobody would hear the answers: add " + quote(options.replyTo) + " to \"listen\"");
  }
  if (resend) {
    options.resend = resend->duration();
    if (options.resend < std::chrono::minutes{1}) resend->fail("must be at least 1m");
    if (std::find(options.listen.begin(), options.listen.end(), "commands") !=
        options.listen.end()) {
      resend->fail("is for a store that runs no commands, but \"listen\" has \"commands\"");
    }
  }
}

std::string parsePointer(const ConfigValue& value) {
  std::string text = value.text();
  try {
    const nlohmann::json::json_pointer pointer(text);
  } catch (const nlohmann::json::exception&) {
    value.fail("must be a JSON pointer like \"/customer\", not " + quote(text));
  }
  return text;
}

CatalogFile::CommandEntry parseCommand(const std::string& type, const ConfigValue& value,
                                       const std::optional<ConfigValue>& defaultRetry,
                                       const Breaker& defaultBreaker) {
  checkName("command type", type, value);
  value.allowKeys(
      {"sql", "handler", "schema", "key", "timeout", "hold", "retry", "breaker", "onDead"});
  CatalogFile::CommandEntry entry;
  entry.type = type;
  const auto handler = value.find("handler");
  if (handler) handler->choice<bool>({{"host", true}});
  if (const auto field = value.find("sql")) entry.sql = field->text();
  if (entry.sql.has_value() == handler.has_value()) {
    value.fail("needs either \"sql\" (a script) or \"handler\": \"host\"" +
               std::string(handler ? ", not both" : ""));
  }
  if (const auto field = value.find("schema")) entry.schema = field->text();
  if (const auto field = value.find("key")) entry.key = parsePointer(*field);
  if (const auto field = value.find("timeout")) entry.timeout = field->duration();
  if (const auto field = value.find("hold")) entry.hold = field->duration();
  if (const auto field = value.find("retry")) {
    entry.retry = parseRetry(*field, defaultRetry);
    if (const auto errors = field->find("errors")) {
      for (const auto& [pattern, rule] : errors->members()) entry.ownErrors.push_back(pattern);
    }
  }
  if (const auto field = value.find("breaker")) {
    entry.breaker = parseBreaker(*field, defaultBreaker);
  }
  if (const auto field = value.find("onDead")) {
    entry.blocksKeyWhenDead = field->choice<bool>({{"skip", false}, {"block", true}});
  }
  return entry;
}

std::vector<std::string> parseReaction(const std::string& event, const ConfigValue& value,
                                       const std::vector<std::string>& types) {
  checkName("event type", event, value);
  std::vector<std::string> reactions;
  for (const ConfigValue& element : value.oneOrMore()) {
    const std::string type = element.text();
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      element.fail("command " + quote(type) + " is not among \"commands\"" +
                   didYouMean(type, types));
    }
    if (std::find(reactions.begin(), reactions.end(), type) != reactions.end()) {
      element.fail(quote(type) + " is there twice");
    }
    reactions.push_back(type);
  }
  return reactions;
}

}  // namespace

CatalogFile parseCatalogFile(const SourceText& source) {
  const ConfigValue root(source);
  root.allowKeys({"store", "source", "migrations", "queues", "listen", "replyTo", "resend",
                  "volatile", "checkpoint", "defaults", "commands", "on"});
  CatalogFile file;
  EngineOptions& options = file.options;
  options.store = "tether.db";
  if (const auto field = root.find("store")) {
    options.store = field->text();
  }
  if (const auto field = root.find("source")) {
    options.source = field->text();
    if (options.source.find(' ') != options.source.npos) field->fail("must not have spaces");
    try {
      checkAttribute("source", options.source);
    } catch (const Error& error) {
      field->failAtKey(error.what());
    }
  }
  if (const auto field = root.find("checkpoint")) {
    options.checkpoints = field->choice<Checkpoints>(
        {{"own", Checkpoints::Own}, {"external", Checkpoints::External}});
  }
  if (const auto field = root.find("migrations")) file.migrations = field->text();
  const auto isVolatile = root.find("volatile");
  options.volatileCommands = isVolatile && isVolatile->boolean();
  if (const auto field = root.find("queues")) {
    parseQueues(*field, options.volatileCommands, options);
  }
  if (const auto field = root.find("listen")) options.listen = parseListen(*field, options);
  options.dedupWindow = dedupWindowOf(options);
  parseReplyTo(root, options);
  const auto defaults = root.find("defaults");
  if (defaults) parseDefaults(*defaults, options);
  const auto defaultRetry = defaults ? defaults->find("retry") : std::nullopt;

  std::vector<std::string> types;
  if (const auto field = root.find("commands")) {
    for (const auto& [type, value] : field->members()) {
      file.commands.push_back(parseCommand(type, value, defaultRetry, options.breaker));
      types.push_back(type);
    }
  }
  if (const auto field = root.find("on")) {
    for (const auto& [event, value] : field->members()) {
      file.reactions[event] = parseReaction(event, value, types);
    }
  }
  return file;
}

}  // namespace tether
