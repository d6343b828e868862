#include "scenario/fault.hpp"

#include <algorithm>
#include <vector>

#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

constexpr int kMostHits = 1'000'000;

/// Where the engine has to expect a failure; elsewhere nothing can fail.
constexpr Seam kFallible[] = {Seam::intake_before_commit,  Seam::tx_after_begin,
                              Seam::tx_after_effects,      Seam::tx_before_commit,
                              Seam::failure_before_record, Seam::replay_after_select};
/// Between two commits, so that somebody else can write.
constexpr Seam kOutside[] = {Seam::listener_after_receive};

std::vector<std::string> seamNames() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kSeamCount; ++i) names.emplace_back(toString(static_cast<Seam>(i)));
  return names;
}

template <std::size_t Size>
bool among(const Seam (&seams)[Size], Seam seam) {
  return std::find(std::begin(seams), std::end(seams), seam) != std::end(seams);
}

template <std::size_t Size>
std::string listed(const Seam (&seams)[Size]) {
  std::string text;
  for (const auto seam : seams) text += (text.empty() ? "" : ", ") + std::string(toString(seam));
  return text;
}

Seam seamOf(const ConfigValue& value) {
  const auto name = value.text();
  const auto seam = parseSeam(name);
  if (!seam) value.fail("unknown seam " + quote(name) + didYouMean(name, seamNames()));
  return *seam;
}

void parseAtSeam(const ConfigValue& value, Fault& fault) {
  fault.seam = seamOf(*value.find("at"));
  const auto action = value.find("do");
  if (!action) value.fail("needs \"do\": what goes wrong");
  fault.kind = action->choice<Fault::Kind>({{"crash", Fault::Kind::Crash},
                                            {"error", Fault::Kind::Error},
                                            {"stall", Fault::Kind::Stall},
                                            {"unknown-commit", Fault::Kind::UnknownCommit},
                                            {"lose-lease", Fault::Kind::LoseLease}});
  if (fault.kind == Fault::Kind::UnknownCommit && fault.seam != Seam::tx_commit_unknown) {
    value.find("at")->fail("unknown-commit happens at tx.commit_unknown");
  }
  if (fault.kind == Fault::Kind::Error && !among(kFallible, *fault.seam)) {
    value.find("at")->fail("nothing can fail there; an error can be at " + listed(kFallible));
  }
  if (fault.kind == Fault::Kind::LoseLease && !among(kOutside, *fault.seam)) {
    value.find("at")->fail("a lease can be lost at " + listed(kOutside));
  }
}

void parseOnQueue(const ConfigValue& value, const Reading& reading, Fault& fault) {
  const auto queue = *value.find("queue");
  fault.queue = queue.text();
  reading.checkQueue(fault.queue, queue, false);
  if (reading.knowsQueues && reading.remotes.count(fault.queue) == 0) {
    queue.fail(quote(fault.queue) +
               " is local, a part of the store: nothing happens there; map it"
               " to an address in \"settings\"");
  }
  const auto action = value.find("do");
  if (!action) value.fail("needs \"do\": what goes wrong");
  fault.kind = action->choice<Fault::Kind>({{"duplicate", Fault::Kind::Duplicate},
                                            {"delay", Fault::Kind::Delay},
                                            {"lose-lease", Fault::Kind::LoseLease},
                                            {"refuse", Fault::Kind::Refuse},
                                            {"unreachable", Fault::Kind::Unreachable},
                                            {"lose-answer", Fault::Kind::LoseAnswer}});
}

}  // namespace

Fault parseFault(const ConfigValue& value, const Reading& reading) {
  value.allowKeys({"at", "queue", "do", "hit", "times", "by", "code"});
  Fault fault;
  fault.place = value.place();
  if (value.find("at").has_value() == value.find("queue").has_value()) {
    value.fail("needs \"at\" with a seam, or \"queue\" with its name");
  }
  if (value.find("at")) {
    parseAtSeam(value, fault);
  } else {
    parseOnQueue(value, reading, fault);
  }
  if (const auto hit = value.find("hit")) fault.hit = hit->integer(1, kMostHits);
  if (const auto times = value.find("times")) fault.times = times->integer(1, kMostHits);
  const bool timed = fault.kind == Fault::Kind::Stall || fault.kind == Fault::Kind::Delay;
  const auto by = value.find("by");
  if (timed && !by) value.fail("needs \"by\": how long");
  if (by && !timed) by->failAtKey("\"by\" is for stall and delay");
  if (by) fault.by = by->duration();
  const auto code = value.find("code");
  if (code && fault.kind != Fault::Kind::Error) code->failAtKey("\"code\" is for error");
  fault.code = code ? code->text() : "injected";
  if (fault.kind == Fault::Kind::Crash && fault.times > 1) {
    value.find("times")->fail("a crash happens once: write it once for each restart");
  }
  return fault;
}

json faultSchema() {
  return {{"type", "object"},
          {"required", {"do"}},
          {"additionalProperties", false},
          {"properties",
           {{"at", {{"enum", seamNames()}}},
            {"queue", {{"type", "string"}}},
            {"do",
             {{"enum",
               {"crash", "error", "stall", "unknown-commit", "lose-lease", "duplicate", "delay",
                "refuse", "unreachable", "lose-answer"}}}},
            {"hit", {{"type", "integer"}, {"minimum", 1}}},
            {"times", {{"type", "integer"}, {"minimum", 1}}},
            {"by", {{"type", "string"}}},
            {"code", {{"type", "string"}}}}}};
}

}  // namespace tether::scenario
