// How a verb says what it takes. CLI11 does the work; it is slow to compile, so only the few files
// that build and read the whole table include it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tether::cli {

class Session;

/// The verb that the command line chose, with its options bound.
using Action = std::function<int(Session&)>;

/// A handle: what it names lives as long as the command line, and so must the targets of options.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  /// What the help calls the value.
  Option value(const std::string& name) const;
  Option required() const;
  Option excludes(const Option& other) const;
  /// One value each time that it is given.
  Option oneEach() const;
  bool given() const;

 private:
  CLI::Option* option_;
};

/// A handle of a verb, of a noun whose verbs follow ("queue" of "queue list"), or of the tool.
class Verb {
 public:
  explicit Verb(CLI::App& app) : app_(&app) {}

  Option argument(const std::string& name, std::string& target, const std::string& help) const;
  Option argument(const std::string& name, std::vector<std::string>& target,
                  const std::string& help) const;
  Option option(const std::string& names, std::string& target, const std::string& help) const;
  Option option(const std::string& names, std::vector<std::string>& target,
                const std::string& help) const;
  Option flag(const std::string& names, bool& target, const std::string& help) const;
  /// "--wait{30s}": the value that it has without an =.
  Option flag(const std::string& names, std::string& target, const std::string& help) const;

  /// Runs when the command line chose this verb and everything is bound.
  void onParsed(std::function<void()> callback) const;
  CLI::App& app() const { return *app_; }

 private:
  CLI::App* app_;
};

/// Adds a verb; none goes without an example.
Verb addVerb(const Verb& parent, const std::string& name, const std::string& summary,
             const std::string& example);

/// Adds a noun whose verbs follow.
Verb addNoun(const Verb& parent, const std::string& name, const std::string& summary);

/// Runs `run` when the command line chooses `verb`.
template <class Options>
void onChosen(const Verb& verb, Action& chosen, std::shared_ptr<Options> options,
              int (*run)(const Options&, Session&)) {
  verb.onParsed([&chosen, options = std::move(options), run] {
    chosen = [options, run](Session& session) { return run(*options, session); };
  });
}

}  // namespace tether::cli
