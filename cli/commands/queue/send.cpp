// queue send, queue purge. See man/tether-queue.1.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "queues.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/text.hpp"

namespace tether::cli {

namespace {

using nlohmann::json;

struct SendOptions {
  std::string queue;
  std::string body;
  std::string id;
  std::string key;
  std::string delay = "0s";
};

std::string bodyOf(const SendOptions& options, Session& session, std::size_t bytesMax) {
  if (options.body == "-") return session.read("-", bytesMax);
  if (options.body.starts_with('@')) return session.read(options.body.substr(1), bytesMax);
  return options.body;
}

int runSend(const SendOptions& options, Session& session) {
  const auto queue = openForMessages(session, options.queue, "use 'tether submit'");
  const auto bytesMax = queue->features().bodyBytesMax;
  OutgoingMessage message;
  message.body = bodyOf(options, session, bytesMax);
  if (message.body.size() > bytesMax) {
    throw Error(ErrorCode::Invalid, fmt::format("the message has more than {} bytes", bytesMax));
  }
  message.id =
      options.id.empty() ? IdGenerator(session.clock(), systemRandom()).next() : options.id;
  checkId("--id", message.id);
  message.key = options.key;
  message.delay = durationOf("--delay", options.delay);

  const auto results = queue->send({&message, 1});
  if (results.empty() || results.front().kind != SendResult::Kind::Sent) {
    const bool permanent = !results.empty() && results.front().kind == SendResult::Kind::Permanent;
    throw Error(permanent ? ErrorCode::Invalid : ErrorCode::Unavailable,
                fmt::format("queue {} did not take the message: {}", options.queue,
                            results.empty() ? "no answer" : results.front().error));
  }
  session.print().answer("queue-send", {{"id", message.id}, {"queue", options.queue}},
                         [&] { session.print().line({message.id}); });
  return kDone;
}

struct PurgeQueueOptions {
  std::string queue;
  bool yes = false;
};

int purgeQueue(const PurgeQueueOptions& options, Session& session) {
  const auto queue =
      openForMessages(session, options.queue, "cancel what waits with 'tether command cancel'");
  session.confirm(fmt::format("delete every message of queue {} that nobody holds?", options.queue),
                  options.yes);
  const auto count = queue->purge();
  if (count == 0) {
    throw Error(ErrorCode::NotFound, fmt::format("queue {} has nothing to delete", options.queue));
  }
  auto& print = session.print();
  print.answer("queue-purge", {{"queue", options.queue}, {"deleted", count}}, [&] {
    if (!print.quiet()) print.line({fmt::format("{} deleted", count)});
  });
  return kDone;
}

}  // namespace

void addQueueSend(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<SendOptions>();
  const auto verb = addVerb(noun, "send", "Put a message on a queue",
                            R"(tether queue send events '{"note":"by hand"}' --key notes)");
  verb.argument("QUEUE", options->queue, "Name of the queue").required();
  verb.argument("TEXT", options->body, "The message; @FILE or - reads it").required();
  verb.option("--id", options->id, "The message's id (default: a new one)").value("ID");
  verb.option("--key", options->key, "Messages of one key stay in order").value("KEY");
  verb.option("--delay", options->delay, "Not to be seen before this time has passed")
      .value("DURATION");
  onChosen(verb, chosen, std::move(options), &runSend);
}

void addQueuePurge(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PurgeQueueOptions>();
  const auto verb = addVerb(noun, "purge", "Delete every message that nobody holds",
                            "tether queue purge events --yes");
  verb.argument("QUEUE", options->queue, "Name of the queue").required();
  verb.flag("--yes", options->yes, "Do not ask");
  onChosen(verb, chosen, std::move(options), &purgeQueue);
}

}  // namespace tether::cli
