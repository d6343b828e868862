// Builds one record: brief, or with every member.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tether/view.hpp"

namespace tether::view {

class Record {
 public:
  /// `always`: the members that every form has.
  Record(Form form, nlohmann::json always) : form_(form), members_(std::move(always)) {}

  // What a brief record leaves out when it says nothing.
  Record& text(const char* name, const std::string& text);
  Record& time(const char* name, const std::optional<Time>& time);
  Record& error(const Failure& failure);
  Record& number(const char* name, int number);
  /// JSON text of the store.
  Record& value(const char* name, const std::string& text);
  Record& attributes(const std::map<std::string, std::string>& attributes);

  /// Whether this form has content.
  bool withContent() const { return form_ != Form::Brief; }
  /// JSON text of the store, in a form with content.
  Record& content(const char* name, const std::string& text);
  /// "body" when it is text, else "bodyBase64".
  Record& bytes(std::string_view body);
  /// "body" in another form than its bytes.
  Record& body(nlohmann::json value);

  nlohmann::json take() { return std::move(members_); }

 private:
  void put(const char* name, nlohmann::json value, bool says);

  Form form_;
  nlohmann::json members_;
};

}  // namespace tether::view
