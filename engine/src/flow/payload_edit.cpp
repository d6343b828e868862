#include "flow/payload_edit.hpp"

#include "tether/error.hpp"
#include "tether/json.hpp"

namespace tether::flow {

namespace {

using nlohmann::json;

/// What the typed text stands for where `body` has `pointer`.
json meant(const PayloadEdit& edit, const json& body, const json::json_pointer& pointer,
           const TypeAt& typeAt) {
  const auto& text = edit.value.get_ref<const std::string&>();
  auto wanted = typeAt ? typeAt(edit.pointer) : std::string();
  if (wanted.empty() && body.contains(pointer)) wanted = body.at(pointer).type_name();
  const bool isJson = json::accept(text);
  // A text in quotes of its own is a JSON string, whatever is wanted.
  if (!isJson || (wanted == "string" && !text.starts_with('"'))) return text;
  return parseJson("value of " + edit.pointer, text);
}

/// Behind the end of an array there would be a hole.
void requireWithin(const json& body, const json::json_pointer& pointer, const std::string& said) {
  if (pointer.empty()) return;
  const auto& parent = body.at(pointer.parent_pointer());
  if (!parent.is_array() || body.contains(pointer)) return;
  const auto end = std::to_string(parent.size());
  if (pointer.back() == end) return;
  throw Error(ErrorCode::Invalid,
              said + ": the array ends before index " + end + ", which appends to it");
}

}  // namespace

json withEdits(const std::string& body, const std::vector<PayloadEdit>& set, const TypeAt& typeAt) {
  auto value = parseJson("body", body, kMessageLimits);
  for (const auto& edit : set) {
    try {
      const json::json_pointer pointer(edit.pointer);
      if (!pointer.empty() && !value.contains(pointer.parent_pointer())) {
        throw Error(ErrorCode::Invalid, edit.pointer + ": there is nothing at " +
                                            pointer.parent_pointer().to_string() + " to set it in");
      }
      requireWithin(value, pointer, edit.pointer);
      auto given = edit.typed ? meant(edit, value, pointer, typeAt) : edit.value;
      value[pointer] = std::move(given);
    } catch (const json::exception&) {
      throw Error(ErrorCode::Invalid, edit.pointer +
                                          ": is no JSON pointer that leads into the body, such as "
                                          "\"/quantity\"");
    }
  }
  return value;
}

}  // namespace tether::flow
