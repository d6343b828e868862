// Look at events. See man/tether-command.1.
#include <memory>
#include <string>
#include <vector>

#include "all.hpp"
#include "selection.hpp"
#include "tether/envelope.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

int runList(const Selection& selection, Session& session) {
  const auto now = session.clock().now();
  const auto filter = filterOf(selection, now);
  std::vector<Event> events;
  session.store().read([&](Snapshot& snapshot) { events = snapshot.events(filter); });

  Listing listing{.schema = "event-list", .noun = "events"};
  listing.table.header = {"EVENT", "TYPE", "WHEN", "FLOW", "TO LEAVE"};
  for (const auto& event : events) {
    listing.data.push_back(toJson(event));
    listing.ids.push_back(event.id);
    listing.table.rows.push_back({event.id, event.type, whenText(event.time, now),
                                  event.correlationId,
                                  event.pending > 0 ? std::to_string(event.pending) : ""});
  }
  return answerListing(session, listing, filter);
}

struct ShowOptions {
  std::string id;
};

int runShow(const ShowOptions& options, Session& session) {
  std::optional<Event> event;
  session.store().read([&](Snapshot& snapshot) { event = snapshot.event(options.id); });
  if (!event) throw Error(ErrorCode::NotFound, "no event " + quote(options.id));

  auto& print = session.print();
  const auto text = toJsonText(toEnvelope(*event));
  print.answer("event", payloadOf(text), [&] { print.line({text}); });
  return kDone;
}

}  // namespace

void addEvent(CLI::App& app, Action& chosen) {
  auto* noun = addNoun(app, "event", "Look at events");

  auto selection = std::make_shared<Selection>();
  auto* list = addVerb(*noun, "list", "List events, newest first",
                       "tether event list --type OrderCreated --since 1h");
  addSelection(*list, *selection);
  onChosen(list, chosen, std::move(selection), &runList);

  auto options = std::make_shared<ShowOptions>();
  auto* show = addVerb(*noun, "show", "Show one event as the envelope that travels",
                       "tether event show 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e");
  show->add_option("ID", options->id, "Id of the event")->required()->type_name("");
  onChosen(show, chosen, std::move(options), &runShow);
}

}  // namespace tether::cli
