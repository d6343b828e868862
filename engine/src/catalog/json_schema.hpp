// JSON Schema draft-07, checked with a library behind it.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catalog/schema_check.hpp"
#include "catalog/source_text.hpp"

namespace tether {

/// Thread safety: every call from any thread.
class JsonSchema {
 public:
  /// Throws Invalid with name:line:column for a schema that would not be enforced as it reads, see
  /// checkSchema, and for a default that its own property refuses.
  explicit JsonSchema(const SourceText& source);
  ~JsonSchema();

  /// Checks a payload, then fills in the defaults of absent top-level properties. Throws Invalid:
  /// "payload/pointer: what is wrong".
  ///
  /// So that no payload can hold up the process, some are refused whatever the schema says: strings
  /// and names over 4096 bytes where the schema uses regular expressions, and arrays over 512 items
  /// where it uses uniqueItems (each is compared with each).
  void validate(nlohmann::json& payload) const;

  /// Top-level properties that need not be there, with their default or null.
  const std::map<std::string, nlohmann::json>& optional() const { return optional_; }
  const std::vector<std::string>& properties() const { return properties_; }
  /// See CommandSettings::typeAt.
  std::string typeAt(const std::string& pointer) const;
  /// No top-level property beyond properties() is accepted.
  bool closed() const { return closed_; }

 private:
  class Validator;

  void readProperties(const nlohmann::json& root);
  void checkDefaults(const SourceText& source, const SchemaTraits& traits) const;

  std::unique_ptr<Validator> validator_;
  std::map<std::string, nlohmann::json> optional_;
  std::map<std::string, nlohmann::json> defaults_;
  std::vector<std::string> properties_;
  bool closed_ = false;
};

}  // namespace tether
