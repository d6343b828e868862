// Hidden verbs that walk the verb table: for the completion scripts, and for the test that compares
// the manual pages with the real flags.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "all.hpp"
#include "command_line.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

bool hidden(const CLI::App* verb) { return verb->get_group().empty(); }
bool hidden(const CLI::Option* option) { return option->get_group().empty(); }

std::vector<const CLI::App*> shownVerbs(const CLI::App& app) {
  auto verbs = app.get_subcommands([](const CLI::App*) { return true; });
  std::erase_if(verbs, [](const CLI::App* verb) { return hidden(verb); });
  return verbs;
}

std::vector<std::string> namesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

json toRecord(const CLI::Option& option) {
  json object = {{"help", option.get_description()}, {"required", option.get_required()}};
  if (option.get_positional()) {
    object["argument"] = option.get_name(true);
    object["many"] = option.get_expected_max() > 1;
    return object;
  }
  object["names"] = namesOf(option);
  object["takesValue"] = option.get_expected_min() > 0;
  if (!option.get_type_name().empty()) object["value"] = option.get_type_name();
  return object;
}

json toRecord(const CLI::App& app) {
  json options = json::array();
  json arguments = json::array();
  for (const auto* option : app.get_options()) {
    if (hidden(option)) continue;
    (option->get_positional() ? arguments : options).push_back(toRecord(*option));
  }
  json verbs = json::array();
  for (const auto* verb : shownVerbs(app)) verbs.push_back(toRecord(*verb));
  return {{"name", app.get_name()},
          {"summary", app.get_description()},
          {"footer", app.get_footer()},
          {"options", std::move(options)},
          {"arguments", std::move(arguments)},
          {"verbs", std::move(verbs)}};
}

struct Nothing {};

int runDescribe(const Nothing& /*options*/, Session& session) {
  session.print().record(toRecord(makeCommandLine()->app));
  return kDone;
}

struct CompleteOptions {
  std::vector<std::string> words;
};

const CLI::App* follow(const CLI::App* app, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    for (const auto* verb : shownVerbs(*app)) {
      if (verb->get_name() == word) {
        app = verb;
        break;
      }
    }
  }
  return app;
}

/// The project that the words before the cursor mean.
std::optional<std::filesystem::path> catalogOf(const std::vector<std::string>& words,
                                               Session& session) {
  const auto flag = std::ranges::find(words, "-C");
  if (flag == words.end() || flag + 1 == words.end()) return session.catalogFile();
  return Catalog::find(session.resolve(*(flag + 1)));
}

/// The last word is the one to complete, and may be empty.
int runComplete(const CompleteOptions& options, Session& session) {
  const auto line = makeCommandLine();
  auto words = options.words;
  const std::string begun = words.empty() ? "" : words.back();
  if (!words.empty()) words.pop_back();
  const CLI::App* app = follow(&line->app, words);

  auto& print = session.print();
  const auto offer = [&](const std::string& word, const std::string& help) {
    if (word.starts_with(begun)) print.text(fmt::format("{}\t{}\n", word, help));
  };
  const bool wantsType = !words.empty() && words.back() == "--type";
  if (!wantsType) {
    for (const auto* verb : shownVerbs(*app)) offer(verb->get_name(), verb->get_description());
  }
  if (!begun.starts_with('-')) {
    if (!wantsType && app->get_name() != "submit") return kDone;
    if (const auto file = catalogOf(words, session)) {
      for (const auto& type : Catalog::load(*file).commandTypes()) offer(type.name, type.handler);
    }
    return kDone;
  }
  for (; app != nullptr; app = app->get_parent()) {
    for (const auto* option : app->get_options()) {
      if (hidden(option)) continue;
      for (const auto& name : namesOf(*option)) offer(name, option->get_description());
    }
  }
  return kDone;
}

}  // namespace

void addIntrospection(const Verb& tool, Action& chosen) {
  auto* describing = tool.app().add_subcommand("__describe", "Print all verbs and flags as JSON");
  describing->group("");
  onChosen(Verb(*describing), chosen, std::make_shared<Nothing>(), &runDescribe);

  auto options = std::make_shared<CompleteOptions>();
  auto* completing = tool.app().add_subcommand("__complete", "Print what may stand next");
  completing->group("");
  completing->prefix_command();
  completing->fallthrough(false);
  completing->callback([completing, options, &chosen] {
    options->words = completing->remaining();
    chosen = [options](Session& session) { return runComplete(*options, session); };
  });
}

}  // namespace tether::cli
