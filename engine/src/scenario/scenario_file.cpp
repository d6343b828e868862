#include "scenario/scenario_file.hpp"

#include <algorithm>

#include "tether/catalog.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

template <class Kind>
std::vector<std::string> namesOf(const std::vector<const Kind*>& kinds) {
  std::vector<std::string> names;
  for (const auto* kind : kinds) names.emplace_back(kind->name);
  return names;
}

/// Every name that $ref uses must have been given before.
void checkReferences(const ConfigValue& value, const Reading& reading) {
  const auto& raw = value.raw();
  if (!raw.is_structured()) return;
  if (raw.is_object() && raw.size() == 1 && raw.contains("$ref")) {
    const auto reference = *value.find("$ref");
    const auto name = reference.text().substr(0, reference.text().find('.'));
    if (reading.names.count(name) == 0) {
      reference.fail("nothing before is named " + quote(name) +
                     didYouMean(name, {reading.names.begin(), reading.names.end()}));
    }
  }
  for (const auto& child : value.children()) checkReferences(child, reading);
}

std::vector<Expectation> parseThen(const ConfigValue& then, const Reading& reading) {
  then.allowKeys(namesOf(expectationKinds()));
  std::vector<Expectation> expectations;
  for (const auto* kind : expectationKinds()) {  // in the order of a flow, not of the alphabet
    const auto expected = then.find(kind->name);
    if (!expected) continue;
    checkMatchers(*expected);
    kind->shape().check(*expected);
    if (kind->check != nullptr) kind->check(*expected, reading);
    expectations.push_back({kind, expected->raw(), expected->pointer()});
  }
  if (expectations.empty()) then.fail("expects nothing");
  return expectations;
}

/// What somebody does while a command of this step hangs.
StepKind::Act parseMeanwhile(const ConfigValue& value, Reading& reading) {
  value.allowKeys(namesOf(stepKinds()));
  if (value.raw().size() != 1) value.fail("must be one step, without more");
  for (const auto* kind : stepKinds()) {
    const auto member = value.find(kind->name);
    if (!member) continue;
    reading.meanwhile = kind->name;
    return kind->parse(*member, value, reading);
  }
  return {};
}

Step parseStep(const ConfigValue& value, Reading& reading) {
  auto keys = namesOf(stepKinds());
  keys.insert(keys.end(), {"meanwhile", "run", "faults", "then", "about"});
  value.allowKeys(keys);
  checkReferences(value, reading);
  Step step;
  step.place = value.place();
  reading.kind.clear();
  reading.meanwhile.clear();
  reading.submits.clear();
  reading.sql.clear();
  for (const auto* kind : stepKinds()) {
    const auto member = value.find(kind->name);
    if (!member) continue;
    if (step.act) {
      member->failAtKey("a step does one thing: " + step.kind + " or " + kind->name);
    }
    step.kind = reading.kind = kind->name;
    step.place = member->place();
    step.act = kind->parse(*member, value, reading);
  }
  if (const auto meanwhile = value.find("meanwhile")) {
    step.meanwhile = parseMeanwhile(*meanwhile, reading);
  }
  if (const auto about = value.find("about")) (void)about->anyText();
  if (const auto run = value.find("run")) step.settles = run->boolean();
  if (const auto faults = value.find("faults")) {
    for (const auto& fault : faults->oneOrMore()) step.faults.push_back(parseFault(fault, reading));
  }
  if (const auto then = value.find("then")) step.then = parseThen(*then, reading);
  step.submits = std::move(reading.submits);
  step.sql = std::move(reading.sql);
  if (!step.act && step.then.empty()) value.fail("does nothing and expects nothing");
  return step;
}

/// The project that the scenario is about: named, the nearest above, or none.
std::optional<fs::path> projectOf(const ConfigValue& root, const fs::path& file) {
  const auto named = root.find("project");
  const auto folder = fs::absolute(file).parent_path();
  // Named as the file is, so that a report says the same wherever the project lies.
  const auto shown = [&](const fs::path& path) {
    return file.is_relative() ? path.lexically_relative(fs::current_path()) : path;
  };
  if (!named) {
    const auto nearest = Catalog::find(folder);
    return nearest ? std::optional(shown(*nearest)) : std::nullopt;
  }
  if (named->raw().is_null()) return {};
  auto path = (folder / named->text()).lexically_normal();
  if (fs::is_directory(path)) path /= "tether.json";
  if (!fs::exists(path)) named->fail("there is no " + shown(path).native());
  return shown(path);
}

/// What the scenario changes in tether.json (a merge patch, RFC 7396); a stub stands in for a
/// script.
json changesOf(const ConfigValue& root) {
  json changes = json::object();
  if (const auto settings = root.find("settings")) {
    (void)settings->members();
    changes = settings->raw();
  }
  if (const auto stubs = root.find("stubs")) {
    for (const auto& [type, stub] : stubs->members()) {
      changes["commands"][type]["handler"] = "host";
      changes["commands"][type]["sql"] = nullptr;
    }
  }
  return changes;
}

/// A stub stands in for a command that the project, or the settings, declare.
void checkStubs(const ConfigValue& root, const fs::path& project) {
  const auto stubs = root.find("stubs");
  if (!stubs) return;
  std::vector<std::string> types;
  const auto collect = [&](const json& declares) {
    const auto commands = declares.find("commands");
    if (commands == declares.end()) return;
    for (const auto& [type, command] : commands->items()) types.push_back(type);
  };
  collect(SourceText::read(project).json());
  if (const auto settings = root.find("settings")) collect(settings->raw());
  for (const auto& [type, stub] : stubs->members()) {
    if (std::find(types.begin(), types.end(), type) != types.end()) continue;
    stub.failAtKey("the project has no command " + quote(type) + didYouMean(type, types));
  }
}

std::shared_ptr<const Catalog> catalogOf(const ConfigValue& root, const fs::path& file) {
  const auto project = projectOf(root, file);
  json changes;
  try {
    changes = changesOf(root);
  } catch (const json::exception&) {  // a list where an object belongs
    root.find("settings")->fail("do not have the shape of tether.json");
  }
  if (!project && changes.empty()) return nullptr;
  if (project) checkStubs(root, *project);
  try {
    if (project) return std::make_shared<Catalog>(Catalog::load(*project, changes));
    return std::make_shared<Catalog>(Catalog::from(fs::absolute(file).parent_path(), changes));
  } catch (const Error& error) {
    const auto settings = root.find("settings");
    if (changes.empty() || !settings || error.code() != ErrorCode::Invalid) throw;
    if (project) (void)Catalog::load(*project);  // throws where the settings are not to blame
    // Where it stands in the changed text, nobody could see.
    std::string why = error.what();
    if (project && why.starts_with(project->native())) why = why.substr(why.find(": ") + 2);
    settings->fail(why);
  }
}

Reading readingOf(const Catalog* catalog) {
  Reading reading;
  if (catalog == nullptr) return reading;
  reading.knowsQueues = true;
  reading.queues = {"commands", "events"};
  for (const auto& [queue, address] : catalog->options().queues) {
    reading.queues.insert(queue);
    if (address.isRemote()) reading.remotes.insert(queue);
  }
  return reading;
}

}  // namespace

bool Step::expects(const char* name) const {
  return std::any_of(then.begin(), then.end(), [&](const Expectation& expectation) {
    return std::string_view(expectation.kind->name) == name;
  });
}

ScenarioFile ScenarioFile::read(const fs::path& file) {
  return parse(SourceText::read(file), file);
}

ScenarioFile ScenarioFile::parse(SourceText source, const fs::path& file) {
  ScenarioFile scenario{std::move(source), {}, {}, {}, {}};
  const ConfigValue root(scenario.source);
  root.allowKeys({"$schema", "scenario", "name", "about", "tags", "project", "settings", "stubs",
                  "seed", "clock", "supervised", "budget", "given", "steps"});
  const auto version = root.find("scenario");
  if (!version) root.fail("needs \"scenario\": 1, the version of the format");
  if (version->raw() != 1) version->fail("this program reads version 1");
  const auto name = root.find("name");
  if (!name) root.fail("needs \"name\": what it shows");
  scenario.title.name = name->text();
  if (const auto about = root.find("about")) (void)about->anyText();
  if (const auto tags = root.find("tags")) {
    for (const auto& tag : tags->oneOrMore()) scenario.title.tags.push_back(tag.text());
  }
  auto& setting = scenario.setting;
  if (const auto stubs = root.find("stubs")) {
    for (const auto& [type, stub] : stubs->members()) {
      setting.stubs[type] = std::make_shared<const Stub>(parseStub(stub));
    }
  }
  setting.catalog = catalogOf(root, file);
  setting.clock = parseTime("2026-01-01T00:00:00Z");
  if (const auto clock = root.find("clock")) {
    setting.clock = clock->time();
    if (setting.clock < Time{}) clock->fail("must not be before 1970");
  }
  if (const auto seed = root.find("seed")) {
    setting.seed = static_cast<std::uint64_t>(seed->integer(0, kMost * 1000));
  }
  if (const auto supervised = root.find("supervised")) {
    setting.supervised = supervised->boolean();
  }
  if (const auto budget = root.find("budget")) setting.budget = budget->integer(1, kMost);
  if (const auto given = root.find("given")) {
    for (const auto& sql : given->oneOrMore())
      scenario.given.push_back({sql.anyText(), sql.place()});
  }
  const auto steps = root.find("steps");
  if (!steps || !steps->raw().is_array()) root.fail("needs \"steps\": a list");
  auto reading = readingOf(setting.catalog.get());
  for (const auto& step : steps->oneOrMore()) {
    ++reading.step;
    scenario.steps.push_back(parseStep(step, reading));
  }
  return scenario;
}

}  // namespace tether::scenario
