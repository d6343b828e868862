#include "tether/transaction_command_builder.hpp"

#include "flow/settings_check.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {

using flow::checkSettings;

void TransactionCommandBuilder::add(std::string type, Factory factory, bool prepares,
                                    CommandSettings settings) {
  requireOpen(type);
  if (!factory) throw Error(ErrorCode::Invalid, "the command type " + type + " has no factory");
  checkSettings(type, settings);
  const auto found = entries_.find(type);
  if (found == entries_.end()) {
    entries_.emplace(std::move(type), Entry{std::move(factory), prepares, std::move(settings)});
    return;
  }
  if (found->second.factory) {
    throw Error(ErrorCode::Conflict, "the command type " + type + " was added twice");
  }
  // It was declared, with its settings: now this program runs it.
  found->second.factory = std::move(factory);
  found->second.prepares = prepares;
}

void TransactionCommandBuilder::declare(std::string type, CommandSettings settings) {
  requireOpen(type);
  checkSettings(type, settings);
  entries_.try_emplace(std::move(type), Entry{nullptr, false, std::move(settings)});
}

void TransactionCommandBuilder::configure(const std::string& type, CommandSettings settings) {
  requireOpen(type);
  checkSettings(type, settings);
  find(type);
  entries_.find(type)->second.settings = std::move(settings);
}

void TransactionCommandBuilder::requireOpen(const std::string& type) const {
  if (!sealed_) return;
  throw Error(ErrorCode::Conflict,
              "the command type " + type + " comes too late: the engine is started, stop it first");
}

bool TransactionCommandBuilder::declares(const std::string& type) const {
  return entries_.count(type) > 0;
}

bool TransactionCommandBuilder::builds(const std::string& type) const {
  const auto found = entries_.find(type);
  return found != entries_.end() && found->second.factory != nullptr;
}

bool TransactionCommandBuilder::prepares(const std::string& type) const {
  const auto found = entries_.find(type);
  return found != entries_.end() && found->second.prepares;
}

const CommandSettings& TransactionCommandBuilder::settings(const std::string& type) const {
  return find(type).settings;
}

std::vector<std::string> TransactionCommandBuilder::types() const {
  std::vector<std::string> types;
  for (const auto& [type, entry] : entries_) types.push_back(type);
  return types;
}

std::unique_ptr<TransactionCommand> TransactionCommandBuilder::build(
    const std::string& type) const {
  const auto& entry = find(type);
  if (!entry.factory) {
    throw Error(ErrorCode::NotFound, "this program does not run the command type " + type);
  }
  auto command = entry.factory();
  if (command) return command;
  throw Error(ErrorCode::Invalid, "the factory of the command type " + type + " made nothing");
}

std::string TransactionCommandBuilder::knownTypes() const {
  constexpr std::size_t kShown = 10;
  if (entries_.empty()) return "; no type is declared";
  std::string names;
  std::size_t shown = 0;
  for (const auto& [name, entry] : entries_) {
    if (++shown > kShown) break;
    names += (names.empty() ? "; known are " : ", ") + name;
  }
  return names + (shown > kShown ? ", …" : "");
}

const TransactionCommandBuilder::Entry& TransactionCommandBuilder::find(
    const std::string& type) const {
  const auto found = entries_.find(type);
  if (found != entries_.end()) return found->second;
  throw Error(ErrorCode::NotFound,
              "unknown command type " + quote(type) + didYouMean(type, types(), knownTypes()));
}

}  // namespace tether
