// Shows what happens as it happens. See man/tether-status.1.
#include <fmt/format.h>

#include "all.hpp"
#include "tether/change_feed.hpp"
#include "tether/text.hpp"
#include "tether/view.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

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
      : print_(session.print()), feed_(begin(session.store(), options)) {}

  /// Returns when the flow is resolved; without one, never.
  void run() {
    while (true) {
      for (const auto& change : feed_.next([&](Snapshot& end) { look(end); })) show(change);
      if (print_.forPeople()) print_.flush();
      if (resolved_) break;
      feed_.wait(Duration::max());
    }
    show(*resolved_);
  }

 private:
  ChangeFeed begin(Store& store, const WatchOptions& options) {
    std::int64_t after = 0;
    store.read([&](Snapshot& snapshot) {
      if (options.id.empty()) {
        after = snapshot.lastSeq();
      } else if (const auto flow = snapshot.findFlow(options.id)) {
        correlationId_ = flow->correlationId;
        after = startOf(*flow);
      } else {
        throw Error(ErrorCode::NotFound,
                    fmt::format("no flow, command or event {}", quote(options.id)));
      }
    });
    if (!options.after.empty()) after = cursorOf(options.after);
    return {store, after, correlationId_};
  }

  /// In the same look, so that nothing of the flow is left to show once it is resolved.
  void look(Snapshot& snapshot) {
    if (correlationId_.empty()) return;
    auto flow = snapshot.flow(correlationId_);
    if (!flow) throw Error(ErrorCode::NotFound, "the flow was pruned");
    if (flow->resolved()) resolved_ = std::move(flow);
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
                       {"cursor", feed_.position()}};
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
  std::string correlationId_;  // before the feed, which begins by it
  ChangeFeed feed_;
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
