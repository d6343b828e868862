// How the JSON Schema library checks a payload, where its own way is not exact or has no bound.
// The specializations must be seen before any use of the library.
#pragma once

// Without exceptions the library ends the process.
#ifndef VALIJSON_USE_EXCEPTIONS
#define VALIJSON_USE_EXCEPTIONS 1
#endif
#include <regex>
#include <string>
#include <unordered_map>
#include <utility>
#include <valijson/constraint_builder.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validation_visitor.hpp>
#include <vector>

#include "catalog/pattern.hpp"
#include "catalog/payload_adapter.hpp"

namespace tether {

/// Stands where the library keeps its own regular expressions, and goes wherever a visitor goes.
struct PatternCache : std::unordered_map<std::string, std::regex> {
  std::unordered_map<std::string, Pattern> compiled;

  static const Pattern& at(const std::unordered_map<std::string, std::regex>& cache,
                           const std::string& pattern) {
    return static_cast<const PatternCache&>(cache).compiled.at(pattern);
  }
};

/// Has each of the four bounds of numbers checked exactly; the visitor passes over the library's.
void addExactBounds(valijson::SchemaParser& parser);

}  // namespace tether

namespace valijson {

using PatternText =
    std::basic_string<char, std::char_traits<char>, internal::CustomAllocator<char>>;
using PayloadVisitor = ValidationVisitor<tether::PayloadAdapter>;
using NameVisitor = ValidationVisitor<adapters::StdStringAdapter>;

template <>
template <>
inline bool PayloadVisitor::ValidatePatternPropertySubschemas::operator()(
    const PatternText& pattern, const Subschema* subschema) const {
  const auto& names = tether::PatternCache::at(m_regexesCache, pattern.c_str());
  bool matchFound = false;
  for (const auto member : m_object) {
    if (!names.isFoundIn(member.first)) continue;
    matchFound = true;
    if (m_propertiesMatched != nullptr) m_propertiesMatched->insert(member.first);
    auto context = m_context;
    context.push_back("[" + member.first + "]");
    ValidationVisitor inner(member.second, context, m_strictTypes, m_results, m_regexesCache);
    if (inner.validateSchema(*subschema)) continue;
    if (m_results != nullptr) {
      m_results->pushError(m_context,
                           "Failed to validate against schema associated with pattern '" +
                               std::string(pattern.c_str()) + "'.");
    }
    if (m_validated != nullptr) *m_validated = false;
    if (!m_continueOnFailure) return false;
  }
  return (matchFound || m_continueIfUnmatched) && m_continueOnSuccess;
}

template <>
inline bool PayloadVisitor::visit(const constraints::PatternConstraint& constraint) {
  const auto pattern = constraint.getPattern<std::string::allocator_type>();
  if (!m_target.isString()) return true;
  if (tether::PatternCache::at(m_regexesCache, pattern).isFoundIn(m_target.asString())) return true;
  if (m_results != nullptr) m_results->pushError(m_context, "Failed to match regex");
  return false;
}

template <>
inline bool NameVisitor::visit(const constraints::PatternConstraint& constraint) {
  const auto pattern = constraint.getPattern<std::string::allocator_type>();
  return tether::PatternCache::at(m_regexesCache, pattern).isFoundIn(m_target.asString());
}

template <>
inline bool PayloadVisitor::visit(const constraints::FormatConstraint& constraint) {
  const std::string& format = constraint.getFormat();
  if (tether::hasFormat(format, m_target.asString())) return true;
  if (m_results != nullptr) m_results->pushError(m_context, "String should be a valid " + format);
  return false;
}

template <>
inline bool NameVisitor::visit(const constraints::FormatConstraint& constraint) {
  return tether::hasFormat(constraint.getFormat(), m_target.asString());  // of a name: no results
}

template <>
inline bool PayloadVisitor::visit(const constraints::MaximumConstraint& /*constraint*/) {
  return true;
}

template <>
inline bool PayloadVisitor::visit(const constraints::MinimumConstraint& /*constraint*/) {
  return true;
}

}  // namespace valijson
