#include "flow/ending.hpp"

#include "tether/text.hpp"

namespace tether::flow {

bool Ending::simplify(const std::string& refusal) {
  switch (simplified_++) {
    case 0:
      settlement.error = {"unrecordable", "its end cannot be recorded: " + quote(refusal)};
      return true;
    case 1:
      settlement.state = CommandState::Retrying;
      settlement.retryAt = settlement.endedAt + kLookAgain;
      return true;
    default:
      return false;
  }
}

}  // namespace tether::flow
