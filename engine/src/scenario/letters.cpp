#include "scenario/letters.hpp"

#include <algorithm>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

constexpr int kMostLetters = 1'000'000;

/// By their place among those of a kind.
std::optional<std::string> countedKind(const json& name) {
  for (const auto kind :
       {DeadLetterKind::Command, DeadLetterKind::Delivery, DeadLetterKind::Message}) {
    if (name.contains(toString(kind))) return std::string(toString(kind));
  }
  return {};
}

}  // namespace

void checkLetter(const ConfigValue& name) {
  if (!name.raw().is_object()) {
    (void)name.text();
    return;
  }
  name.allowKeys({"command", "delivery", "message", "group"});
  if (name.raw().size() != 1) name.fail("names a letter by one of its members");
  if (const auto group = name.find("group")) {
    (void)group->text();
  } else {
    (void)name.children().front().integer(1, kMostLetters);
  }
}

json letterSchema() {
  const json number = {{"type", "integer"}, {"minimum", 1}};
  return {{"anyOf",
           {{{"type", "string"}},
            {{"type", "object"},
             {"additionalProperties", false},
             {"minProperties", 1},
             {"maxProperties", 1},
             {"properties",
              {{"command", number},
               {"delivery", number},
               {"message", number},
               {"group", {{"type", "string"}}}}}}}}};
}

std::vector<DeadLetter> lettersNamed(const Run& run, const json& name) {
  auto letters = run.look([](Snapshot& snapshot) { return snapshot.deadLetters(everything()); });
  std::ranges::sort(letters, {}, &DeadLetter::seq);
  const auto keep = [&letters](auto wanted) {
    std::erase_if(letters, [&](const DeadLetter& letter) { return !wanted(letter); });
  };
  if (name.is_string()) {
    const auto id = run.idOf(name.get<std::string>());
    keep([&](const auto& each) {
      return each.commandId == id || each.eventId == id || each.id == id;
    });
  } else if (const auto kind = countedKind(name)) {
    keep([&](const auto& each) { return toString(each.kind) == *kind; });
    const auto place = name.at(*kind).get<std::size_t>();
    if (place > letters.size()) return {};
    letters = {letters[place - 1]};
  } else {
    keep([&](const auto& each) { return each.group == name.at("group").get<std::string>(); });
  }
  return letters;
}

DeadLetter letterNamed(const Run& run, const json& name) {
  auto letters = lettersNamed(run, name);
  if (letters.empty()) {
    const auto named = name.is_string() ? quote(name.get<std::string>()) : name.dump();
    throw Error(ErrorCode::NotFound, "there is no dead letter of " + named);
  }
  return letters.back();
}

}  // namespace tether::scenario
