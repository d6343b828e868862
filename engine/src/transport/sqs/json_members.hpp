// JSON that a server sent. Of its members, whatever is missing, or of another type, is empty.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tether::sqs {

/// SQS itself needs six. More would be a recursion as deep, in whatever copies or prints the value.
inline constexpr int kLevelsMax = 64;

/// Null for what is no JSON, and for more than kLevelsMax levels of it. More lenient than parseJson
/// in all else: one odd character must not make a whole answer useless.
nlohmann::json parseAnswer(std::string_view text);

std::string stringMember(const nlohmann::json& object, const char* name);

/// An empty array for null, too.
const nlohmann::json& arrayMember(const nlohmann::json& object, const char* name);

/// The members whose values are strings.
std::map<std::string, std::string> textMembers(const nlohmann::json& object, const char* name);

/// Decimal text, as SQS writes its numbers; nothing but digits, else 0. What is larger than `most`
/// is no number of SQS, and must not overflow in a sum or another unit: it is `most`.
std::int64_t toNumber(const std::string& text,
                      std::int64_t most = std::numeric_limits<std::int64_t>::max());

}  // namespace tether::sqs
