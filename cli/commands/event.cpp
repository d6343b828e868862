// Look at events, send them again. See man/tether-command.1.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "all.hpp"
#include "commands/queue/queues.hpp"
#include "operator.hpp"
#include "selection.hpp"
#include "tether/envelope.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "tether/view.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

int listEvents(const Selection& selection, Session& session) {
  const auto now = session.clock().now();
  const auto filter = filterOf(selection, now);
  std::vector<Event> events;
  session.store().read([&](Snapshot& snapshot) { events = snapshot.events(filter); });

  Listing listing{.schema = "event-list", .noun = "events", .types = TypesOf::Events};
  listing.table.header = {"EVENT", "TYPE", "WHEN", "FLOW", "TO LEAVE"};
  for (const auto& event : events) {
    listing.data.push_back(view::toJson(event));
    listing.ids.push_back(event.id);
    listing.table.rows.push_back({event.id, event.type, whenText(event.time, now),
                                  event.correlationId,
                                  event.pending > 0 ? std::to_string(event.pending) : ""});
  }
  return answerListing(session, listing, filter);
}

struct ShowEventOptions {
  std::string id;
};

int showEvent(const ShowEventOptions& options, Session& session) {
  std::optional<Event> event;
  session.store().read([&](Snapshot& snapshot) { event = snapshot.event(options.id); });
  if (!event) throw Error(ErrorCode::NotFound, "no event " + quote(options.id));

  auto& print = session.print();
  const auto text = toJsonText(toEnvelope(*event));
  print.answer("event", view::valueOf(text), [&] { print.line({text}); });
  return kDone;
}

struct ResendEventOptions {
  Selection selection;  // only its ids
  std::string queue;
  std::string reason;
};

int resendEvents(const ResendEventOptions& options, Session& session) {
  const auto ids = filterOf(options.selection, session).ids;
  if (!options.queue.empty()) findQueue(session, options.queue);
  session.engine(false).deadLetters().resend(ids, options.queue,
                                             operatorOf(session, options.reason));

  auto data = json::array();
  for (const auto& id : ids) {
    json record = {{"id", id}};
    if (!options.queue.empty()) record["queue"] = options.queue;
    data.push_back(std::move(record));
  }
  auto& print = session.print();
  print.answer("event-resend", data, [&] {
    if (print.quiet()) return;
    print.line({fmt::format("{} {} sent again{}", ids.size(), ids.size() == 1 ? "event" : "events",
                            options.queue.empty() ? "" : " to queue " + options.queue)});
  });
  return kDone;
}

}  // namespace

void addEvent(const Verb& tool, Action& chosen) {
  const auto noun = addNoun(tool, "event", "Look at events, send them again");

  auto selection = std::make_shared<Selection>();
  const auto list = addVerb(noun, "list", "List events, newest first",
                            "tether event list --type OrderCreated --since 1h");
  addSelection(list, *selection);
  onChosen(list, chosen, std::move(selection), &listEvents);

  auto options = std::make_shared<ShowEventOptions>();
  const auto show = addVerb(noun, "show", "Show one event as the envelope that travels",
                            "tether event show 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e");
  show.argument("ID", options->id, "Id of the event").required();
  onChosen(show, chosen, std::move(options), &showEvent);

  auto resendOptions = std::make_shared<ResendEventOptions>();
  const auto resend =
      addVerb(noun, "resend", "Send events once more, with the same ids and content",
              "tether event resend 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --to events");
  addIds(resend, resendOptions->selection, "events").required();
  resend.option("--to", resendOptions->queue, "To this queue, instead of where events go")
      .value("QUEUE");
  resend.option("--reason", resendOptions->reason, "Kept with who did it").value("TEXT");
  onChosen(resend, chosen, std::move(resendOptions), &resendEvents);
}

}  // namespace tether::cli
