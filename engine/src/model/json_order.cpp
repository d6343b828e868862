#include "model/json_order.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace tether {
namespace {

using nlohmann::json;

template <class Number>
int signOf(Number left, Number right) {
  return left < right ? -1 : right < left ? 1 : 0;
}

int compareWithFraction(std::int64_t integer, double fraction) {
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63, the first that is none of 64 bits
  if (fraction >= kBeyond) return -1;
  if (fraction < -kBeyond) return 1;
  const double whole = std::floor(fraction);
  const int sign = signOf(integer, static_cast<std::int64_t>(whole));
  return sign == 0 && whole < fraction ? -1 : sign;
}

}  // namespace

int compareNumbers(const json& left, const json& right) {
  const bool fractionLeft = left.is_number_float();
  const bool fractionRight = right.is_number_float();
  if (fractionLeft && fractionRight) return signOf(left.get<double>(), right.get<double>());
  if (fractionLeft) return -compareNumbers(right, left);
  if (fractionRight) return compareWithFraction(left.get<std::int64_t>(), right.get<double>());
  return signOf(left.get<std::int64_t>(), right.get<std::int64_t>());
}

bool equalValues(const json& left, const json& right) {
  if (left.is_number() && right.is_number()) return compareNumbers(left, right) == 0;
  if (left.type() != right.type() || left.size() != right.size()) return false;
  if (!left.is_structured()) return left == right;
  const auto same = [](const auto& one, const auto& other) {
    return one.first == other.first && equalValues(one.second, other.second);
  };
  if (!left.is_object()) return std::equal(left.begin(), left.end(), right.begin(), equalValues);
  const auto& members = left.get_ref<const json::object_t&>();
  return std::equal(members.begin(), members.end(), right.get_ref<const json::object_t&>().begin(),
                    same);
}

}  // namespace tether
