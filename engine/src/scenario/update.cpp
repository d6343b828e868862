#include "scenario/update.hpp"

namespace tether::scenario {

std::string replaced(const SourceText& source, const nlohmann::json::json_pointer& at,
                     const nlohmann::json& value) {
  const auto span = source.span(at);
  auto text = source.text();
  return text.replace(span.begin, span.end - span.begin, value.dump());
}

}  // namespace tether::scenario
