// dlq pull: brings home what SQS itself has set aside. See man/tether-dlq.1.
#include <fmt/format.h>

#include <memory>

#include "commands/queue/queues.hpp"
#include "letters.hpp"
#include "operator.hpp"
#include "tether/error.hpp"
#include "tether/sqs.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct PullOptions {
  std::string queue = "commands";
  std::string limit = "1000";
  std::string reason;
};

/// The address of the queue that `queue` sets messages aside on.
std::string setAsideAt(const KnownQueue& queue) {
  const auto redrive = inspectSqsQueue(queue.address).redrive;
  if (!redrive) {
    throw Error(ErrorCode::NotFound,
                fmt::format("queue {} at {} has no redrive policy: SQS sets nothing aside there",
                            queue.name, queue.address));
  }
  return sqsAddressOf(queue.address, redrive->queue);
}

int runPull(const PullOptions& options, Session& session) {
  const auto max = countOf("--limit", options.limit, 1);
  const auto queue = findQueue(session, options.queue);
  if (!isSqs(queue)) {
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("queue {} is {}: its dead letters are here already, see tether dlq list",
                    queue.name, queue.address));
  }
  const auto address = setAsideAt(queue);
  const auto from = makeSqsTransport(address, session.clock());
  auto& engine = session.engine(false);
  const auto ids =
      engine.deadLetters().pull(queue.name, *from, max, operatorOf(session, options.reason));
  session.print().answer("dlq-pull", {{"queue", queue.name}, {"from", address}, {"ids", ids}}, [&] {
    auto& print = session.print();
    if (print.quiet()) {
      for (const auto& id : ids) print.line({id});
      return;
    }
    print.line({fmt::format("{} pulled from {}", countText(ids.size()), address)});
  });
  return kDone;
}

}  // namespace

void addDlqPull(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PullOptions>();
  const auto verb = addVerb(noun, "pull", "Bring home what SQS set aside on its own queue",
                            "tether dlq pull commands");
  verb.argument("QUEUE", options->queue, "A queue that is mapped to SQS (commands)");
  verb.option("--limit", options->limit, "At most so many (default: 1000)").value("N");
  addReason(verb, options->reason);
  onChosen(verb, chosen, std::move(options), &runPull);
}

}  // namespace tether::cli
