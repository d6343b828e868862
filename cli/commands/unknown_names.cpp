#include "unknown_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "commands/queue/queues.hpp"
#include "commands/selection.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

// To find the right name among; whether a name is known is asked of the whole store.
constexpr std::size_t kNewest = 1000;

/// Every record of the store, its newest.
Filter any(std::size_t limit) {
  Filter filter;
  filter.letters.reset();
  filter.limit = limit;
  return filter;
}

std::set<std::string> declaredTypes(Session& session, TypesOf types) {
  if (!session.catalogFile()) return {};
  try {
    std::set<std::string> names;
    const auto& catalog = session.catalog();
    if (types != TypesOf::Events) {
      for (const auto& type : catalog.commandTypes()) names.insert(type.name);
    }
    if (types != TypesOf::Commands) {
      for (const auto& [event, commands] : catalog.reactions()) names.insert(event);
    }
    return names;
  } catch (const Error&) {
    return {};
  }
}

/// Types of what the filter lets through.
std::set<std::string> recordedTypes(Store& store, TypesOf types, const Filter& filter) {
  std::set<std::string> names;
  store.read([&](Snapshot& snapshot) {
    if (types != TypesOf::Events) {
      for (const auto& command : snapshot.commands(filter)) names.insert(command.type);
    }
    if (types != TypesOf::Commands) {
      for (const auto& event : snapshot.events(filter)) names.insert(event.type);
    }
    if (types != TypesOf::Letters) return;
    for (const auto& letter : snapshot.deadLetters(filter)) names.insert(letter.type);
  });
  return names;
}

bool knowsType(Session& session, Store& store, const std::string& type, TypesOf types) {
  if (declaredTypes(session, types).contains(type)) return true;
  auto filter = any(1);
  filter.type = type;
  return !recordedTypes(store, types, filter).empty();
}

std::vector<std::string> groupsOf(Store& store) {
  std::vector<std::string> groups;
  store.read([&](Snapshot& snapshot) {
    for (const auto& known : snapshot.deadLetterGroups(any(kNoLimit))) {
      groups.push_back(known.group);
    }
  });
  return groups;
}

/// Nothing: the catalog is wrong, and nobody can tell.
std::optional<std::vector<std::string>> queueNames(Session& session) {
  try {
    std::vector<std::string> names;
    for (const auto& queue : knownQueues(session)) names.push_back(queue.name);
    return names;
  } catch (const Error&) {
    return {};
  }
}

/// Commands and letters keep the name of a queue that nobody declares any more.
bool usesQueue(Store& store, const std::string& queue) {
  auto filter = any(1);
  filter.queue = queue;
  bool used = false;
  store.read([&](Snapshot& snapshot) {
    used = !snapshot.commands(filter).empty() || !snapshot.deadLetters(filter).empty();
  });
  return used;
}

const char* nounOf(TypesOf types) {
  switch (types) {
    case TypesOf::Commands:
      return "command type";
    case TypesOf::Events:
      return "event type";
    default:
      return "type";
  }
}

Diagnostic unknown(const std::string& noun, const std::string& name,
                   const std::vector<std::string>& known) {
  return {"unknown_name",
          fmt::format("no {} {} is known here{}", noun, quote(name), didYouMean(name, known))};
}

}  // namespace

std::vector<std::string> knownTypes(Session& session, Store& store, TypesOf types) {
  auto names = recordedTypes(store, types, any(kNewest));
  names.merge(declaredTypes(session, types));
  return {names.begin(), names.end()};
}

std::vector<Diagnostic> unknownNames(Session& session, Store& store, const Filter& filter,
                                     TypesOf types) {
  std::vector<Diagnostic> found;
  if (types == TypesOf::Nobody) return found;
  if (!filter.type.empty() && !knowsType(session, store, filter.type, types)) {
    found.push_back(unknown(nounOf(types), filter.type, knownTypes(session, store, types)));
  }
  if (!filter.queue.empty() && !usesQueue(store, filter.queue)) {
    const auto names = queueNames(session);
    if (names && std::ranges::find(*names, filter.queue) == names->end()) {
      found.push_back(unknown("queue", filter.queue, *names));
    }
  }
  if (!filter.group.empty()) {
    const auto groups = groupsOf(store);
    const auto known = [&](const std::string& group) { return group.starts_with(filter.group); };
    if (std::ranges::none_of(groups, known)) {
      found.push_back(unknown("group", filter.group, groups));
    }
  }
  return found;
}

}  // namespace tether::cli
