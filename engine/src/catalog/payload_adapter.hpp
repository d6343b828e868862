// A payload as the JSON Schema library sees it: the library's own view compares two numbers as
// doubles, and this one as they are written.
#pragma once

// Without exceptions the library ends the process.
#ifndef VALIJSON_USE_EXCEPTIONS
#define VALIJSON_USE_EXCEPTIONS 1
#endif
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>

#include "model/json_order.hpp"

namespace tether {

class PayloadAdapter;
using PayloadMember = std::pair<std::string, PayloadAdapter>;

template <class Element>
class PayloadIterator {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = Element;
  using difference_type = std::ptrdiff_t;
  using pointer = const Element*;
  using reference = Element;

  PayloadIterator(nlohmann::json::const_iterator at) : at_(at) {}

  Element operator*() const;
  valijson::adapters::DerefProxy<Element> operator->() const {
    return valijson::adapters::DerefProxy<Element>(**this);
  }
  bool operator==(const PayloadIterator& other) const { return at_ == other.at_; }
  PayloadIterator& operator++() { return ++at_, *this; }
  PayloadIterator operator++(int) { return at_++; }
  PayloadIterator& operator--() { return --at_, *this; }
  void advance(std::ptrdiff_t by) { at_ += by; }

 private:
  nlohmann::json::const_iterator at_;
};

/// The elements of an array, or the members of an object.
template <class Element>
class PayloadRange {
 public:
  using const_iterator = PayloadIterator<Element>;
  using iterator = const_iterator;

  PayloadRange() = default;
  explicit PayloadRange(const nlohmann::json* value) : value_(value) {}

  const_iterator begin() const { return value_->begin(); }
  const_iterator end() const { return value_->end(); }
  const_iterator find(const std::string& name) const { return value_->find(name); }
  std::size_t size() const { return value_->size(); }

 private:
  static inline const nlohmann::json kNothing;

  const nlohmann::json* value_ = &kNothing;
};

class PayloadValue : public valijson::adapters::NlohmannJsonValue {
 public:
  PayloadValue() = default;
  explicit PayloadValue(const nlohmann::json& value) : NlohmannJsonValue(value), value_(&value) {}

  valijson::adapters::FrozenValue* freeze() const;
  opt::optional<PayloadRange<PayloadAdapter>> getArrayOptional() const {
    if (!isArray()) return {};
    return PayloadRange<PayloadAdapter>(value_);
  }
  opt::optional<PayloadRange<PayloadMember>> getObjectOptional() const {
    if (!isObject()) return {};
    return PayloadRange<PayloadMember>(value_);
  }

 private:
  static inline const nlohmann::json kNothing = nlohmann::json::object();

  const nlohmann::json* value_ = &kNothing;
};

class PayloadAdapter
    : public valijson::adapters::BasicAdapter<PayloadAdapter, PayloadRange<PayloadAdapter>,
                                              PayloadMember, PayloadRange<PayloadMember>,
                                              PayloadValue> {
 public:
  explicit PayloadAdapter(const nlohmann::json& value)
      : BasicAdapter(PayloadValue(value)), value_(&value) {}

  const nlohmann::json& json() const { return *value_; }
  /// Names are compared too, of which the library has another view.
  bool equalTo(const valijson::adapters::Adapter& other, bool strict) const override {
    const auto* payload = dynamic_cast<const PayloadAdapter*>(&other);
    return payload == nullptr ? BasicAdapter::equalTo(other, strict)
                              : equalValues(json(), payload->json());
  }

 private:
  const nlohmann::json* value_;
};

class FrozenPayload : public valijson::adapters::FrozenValue {
 public:
  explicit FrozenPayload(nlohmann::json value) : value_(std::move(value)) {}

  FrozenValue* clone() const override { return new FrozenPayload(value_); }
  bool equalTo(const valijson::adapters::Adapter& other, bool strict) const override {
    return PayloadAdapter(value_).equalTo(other, strict);
  }

 private:
  nlohmann::json value_;
};

inline valijson::adapters::FrozenValue* PayloadValue::freeze() const {
  return new FrozenPayload(*value_);
}

template <>
inline PayloadAdapter PayloadIterator<PayloadAdapter>::operator*() const {
  return PayloadAdapter(*at_);
}

template <>
inline PayloadMember PayloadIterator<PayloadMember>::operator*() const {
  return {at_.key(), PayloadAdapter(at_.value())};
}

}  // namespace tether

template <>
struct valijson::adapters::AdapterTraits<tether::PayloadAdapter> {
  using DocumentType = nlohmann::json;
  static std::string adapterName() { return "PayloadAdapter"; }
};
