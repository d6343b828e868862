#include "tether/dead_letter.hpp"

namespace tether {

std::string_view toString(DeadLetterKind kind) {
  switch (kind) {
    case DeadLetterKind::Command:
      return "command";
    case DeadLetterKind::Delivery:
      return "delivery";
    case DeadLetterKind::Message:
      return "message";
  }
  return "message";
}

}  // namespace tether
