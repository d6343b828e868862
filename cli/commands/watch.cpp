// Shows what happens as it happens. See man/tether-status.1.
#include <fmt/format.h>

#include "all.hpp"
#include "tether/text.hpp"
#include "tether/view.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kAtOnce = 500;
constexpr Duration kLostHint = std::chrono::seconds{1};  // hints may get lost: look again

struct WatchOptions {
  std::string id;
  std::string after;
};

Style styleOf(std::string_view what) {
  if (what == "succeeded") return Style::Good;
  if (what == "dead" || what == "dead-letter" || what == "crashed") return Style::Bad;
  if (what == "accepted" || what == "event") return Style::Plain;
  return Style::Warning;
}

/// Before the first thing that happened in the flow.
std::int64_t startOf(const Flow& flow) {
  std::optional<std::int64_t> first;
  for (const auto& command : flow.commands)
    first = std::min(first.value_or(command.seq), command.seq);
  for (const auto& event : flow.events) first = std::min(first.value_or(event.seq), event.seq);
  return first.value_or(1) - 1;
}

std::int64_t cursorOf(const std::string& text) {
  return static_cast<std::int64_t>(countOf("--after", text, 0));
}

class Watch {
 public:
  Watch(Session& session, const WatchOptions& options)
      : print_(session.print()), store_(session.store()), id_(options.id) {
    store_.read([&](Snapshot& snapshot) {
      if (id_.empty()) {
        cursor_ = snapshot.lastSeq();
      } else if (const auto flow = snapshot.findFlow(id_)) {
        correlationId_ = flow->correlationId;
        cursor_ = startOf(*flow);
      } else {
        throw Error(ErrorCode::NotFound, fmt::format("no flow, command or event {}", quote(id_)));
      }
    });
    if (!options.after.empty()) cursor_ = cursorOf(options.after);
  }

  /// Returns when the flow is resolved; without one, never.
  void run() {
    while (true) {
      const auto seen = store_.changeCount();
      if (look()) continue;  // there may be more
      if (resolved_) break;
      store_.waitForChange(seen, kLostHint);
    }
    show(*resolved_);
  }

 private:
  /// True: the look was not deep enough.
  bool look() {
    std::vector<Change> changes;
    store_.read([&](Snapshot& snapshot) {
      changes = snapshot.changes(cursor_, kAtOnce);
      // In the same look, so that nothing of the flow is left to show once it is resolved.
      if (correlationId_.empty() || changes.size() == kAtOnce) return;
      auto flow = snapshot.flow(correlationId_);
      if (!flow) throw Error(ErrorCode::NotFound, "the flow was pruned");
      if (flow->resolved()) resolved_ = std::move(flow);
    });
    for (const auto& change : changes) {
      cursor_ = change.seq;
      if (correlationId_.empty() || change.correlationId == correlationId_) show(change);
    }
    if (print_.forPeople()) print_.flush();
    return changes.size() == kAtOnce;
  }

  void show(const Change& change) {
    switch (print_.form()) {
      case Printer::Form::Ndjson:
        print_.record(view::toJson(change));
        break;
      case Printer::Form::Json:
        collected_.push_back(view::toJson(change));
        break;
      case Printer::Form::People: {
        const auto error = shortErrorText(change.error);
        print_.line({{fmt::format("{:>6}  {}  ", change.seq, toText(change.at)), Style::Dim},
                     {change.what, styleOf(change.what)},
                     " ",
                     change.type,
                     " ",
                     change.id,
                     error.empty() ? "" : ": " + error});
        break;
      }
    }
  }

  void show(const Flow& flow) {
    const json last = {{"what", "resolved"},
                       {"state", toString(flow.outcome())},
                       {"correlationId", flow.correlationId},
                       {"cursor", cursor_}};
    if (print_.form() == Printer::Form::Ndjson) {
      print_.record(last);
      return;
    }
    collected_.push_back(last);
    print_.answer("watch", collected_, [&] {
      print_.line({"resolved: ", cellOf(flow.outcome())});
    });
  }

  Printer& print_;
  Store& store_;
  std::string id_;
  std::string correlationId_;
  std::int64_t cursor_ = 0;
  std::optional<Flow> resolved_;
  json collected_ = json::array();
};

int runWatch(const WatchOptions& options, Session& session) {
  if (options.id.empty() && session.print().form() == Printer::Form::Json) {
    throw Error(ErrorCode::Invalid,
                "watch without an ID has no end, so no JSON object; use --ndjson");
  }
  Watch(session, options).run();
  return kDone;
}

}  // namespace

void addWatch(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<WatchOptions>();
  const auto verb = addVerb(tool, "watch", "Show what happens, as it happens",
                            "tether watch 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --ndjson");
  verb.argument("ID", options->id, "Only this flow, from its start until it is resolved");
  verb.option("--after", options->after, "Begin after this cursor (the seq of a change)")
      .value("CURSOR");
  onChosen(verb, chosen, std::move(options), &runWatch);
}

}  // namespace tether::cli
