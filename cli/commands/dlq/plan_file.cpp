#include "plan_file.hpp"

#include <fmt/format.h>

#include <array>

#include "letters.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

constexpr int kPlanVersion = 1;
constexpr const char* kAgain = "make it anew with 'tether dlq plan'";

json recordOf(const std::vector<PayloadEdit>& edits) {
  auto list = json::array();
  for (const auto& edit : edits) {
    json record = {{"pointer", edit.pointer}, {"value", edit.value}};
    if (edit.typed) {
      const auto& text = edit.value.get_ref<const std::string&>();
      // What is no JSON is a string wherever it goes.
      if (auto value = readJson(text)) {
        record["text"] = text;
        record["value"] = *std::move(value);
      }
    }
    list.push_back(std::move(record));
  }
  return list;
}

json recordOf(const PlanFile& file) {
  const auto& plan = file.plan;
  auto letters = json::array();
  for (const auto& letter : plan.letters) {
    letters.push_back({{"id", letter.id}, {"version", letter.version}});
  }
  return {{"plan", kPlanVersion},      {"id", plan.id},
          {"store", file.store},       {"madeAt", toText(plan.madeAt)},
          {"madeBy", plan.by.name},    {"madeFrom", plan.by.from},
          {"reason", plan.by.reason},  {"count", plan.letters.size()},
          {"set", recordOf(plan.set)}, {"letters", std::move(letters)}};
}

/// Of everything but itself, in canonical form: spaces and line ends do not count.
std::string digestOf(const json& content) { return sha256(canonicalJson(content)); }

/// What parsePlan takes for granted was checked by the digest: whoever computes one by hand gets
/// the library's words.
PlanFile parsePlan(const json& content) {
  PlanFile file;
  file.store = content.at("store").get<std::string>();
  auto& plan = file.plan;
  plan.id = content.at("id").get<std::string>();
  plan.madeAt = parseTime(content.at("madeAt").get<std::string>());
  plan.by = {.name = content.at("madeBy").get<std::string>(),
             .from = content.at("madeFrom").get<std::string>(),
             .reason = content.at("reason").get<std::string>()};
  for (const auto& edit : content.at("set")) {
    const bool typed = edit.contains("text");
    plan.set.push_back({edit.at("pointer").get<std::string>(),
                        typed ? json(edit.at("text").get<std::string>()) : edit.at("value"),
                        typed});
  }
  for (const auto& letter : content.at("letters")) {
    plan.letters.push_back({letter.at("id").get<std::string>(), letter.at("version").get<int>()});
  }
  return file;
}

}  // namespace

std::string writePlan(const PlanFile& file) {
  const auto content = recordOf(file);
  std::string text = "{\n";
  for (const char* name :
       {"plan", "id", "store", "madeAt", "madeBy", "madeFrom", "reason", "count", "set"}) {
    text += fmt::format("  \"{}\": {},\n", name, canonicalJson(content.at(name)));
  }
  text += "  \"letters\": [";
  const char* separator = "\n";
  for (const auto& letter : content.at("letters")) {
    text += fmt::format("{}    {}", separator, canonicalJson(letter));
    separator = ",\n";
  }
  return text + fmt::format("\n  ],\n  \"digest\": \"{}\"\n}}\n", digestOf(content));
}

PlanFile readPlan(const std::string& name, const std::string& text) {
  const auto wrong = [&](const std::string& why) {
    return Error(ErrorCode::Invalid, fmt::format("{} {}", quote(name), why));
  };
  json content;
  try {
    content = parseJson("plan", text, {.bytesMax = kPlanBytesMax, .depthMax = 80});
  } catch (const Error& error) {
    throw wrong(fmt::format("is no plan: {}", error.what()));
  }
  if (!content.is_object() || !content.contains("plan")) {
    throw wrong("is no plan: it has no member \"plan\"");
  }
  const auto& version = content.at("plan");
  if (version != kPlanVersion) {
    throw wrong(fmt::format("is a plan of version {}; this program reads {}",
                            quote(canonicalJson(version)), kPlanVersion));
  }
  const auto digest = content.find("digest");
  const auto told = digest == content.end() ? json() : *digest;
  content.erase("digest");
  if (told != digestOf(content))
    throw wrong(fmt::format("was changed after it was made; {}", kAgain));
  try {
    return parsePlan(content);
  } catch (const json::exception& error) {
    throw wrong(fmt::format("is a damaged plan: {}; {}", error.what(), kAgain));
  }
}

}  // namespace tether::cli
