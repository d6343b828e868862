// Members of JSON that a server sent: whatever is missing, or of another type, is empty.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tether::sqs {

std::string stringMember(const nlohmann::json& object, const char* name);

/// An empty array for null, too.
const nlohmann::json& arrayMember(const nlohmann::json& object, const char* name);

/// The members whose values are strings.
std::map<std::string, std::string> textMembers(const nlohmann::json& object, const char* name);

/// Decimal text, as SQS writes its numbers; nothing but digits, else 0.
std::int64_t toNumber(const std::string& text);

}  // namespace tether::sqs
