#include "verb.hpp"

#include <CLI/CLI.hpp>

namespace tether::cli {

Option Option::value(const std::string& name) const {
  option_->type_name(name);
  return *this;
}

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::excludes(const Option& other) const {
  option_->excludes(other.option_);
  return *this;
}

Option Option::oneEach() const {
  option_->allow_extra_args(false);
  return *this;
}

bool Option::given() const { return option_->count() > 0; }

Option Verb::argument(const std::string& name, std::string& target, const std::string& help) const {
  return option(name, target, help).value("");
}

Option Verb::argument(const std::string& name, std::vector<std::string>& target,
                      const std::string& help) const {
  return option(name, target, help).value("");
}

Option Verb::option(const std::string& names, std::string& target, const std::string& help) const {
  return Option(*app_->add_option(names, target, help));
}

Option Verb::option(const std::string& names, std::vector<std::string>& target,
                    const std::string& help) const {
  return Option(*app_->add_option(names, target, help));
}

Option Verb::flag(const std::string& names, bool& target, const std::string& help) const {
  return Option(*app_->add_flag(names, target, help));
}

Option Verb::flag(const std::string& names, std::string& target, const std::string& help) const {
  return Option(*app_->add_flag(names, target, help));
}

void Verb::onParsed(std::function<void()> callback) const { app_->callback(std::move(callback)); }

Verb addVerb(const Verb& parent, const std::string& name, const std::string& summary,
             const std::string& example) {
  auto* verb = parent.app().add_subcommand(name, summary);
  verb->footer("Example:\n  " + example + "\n\nFlags that every verb takes: tether --help");
  return Verb(*verb);
}

Verb addNoun(const Verb& parent, const std::string& name, const std::string& summary) {
  auto* noun = parent.app().add_subcommand(name, summary);
  noun->require_subcommand(0, 1);
  return Verb(*noun);
}

}  // namespace tether::cli
