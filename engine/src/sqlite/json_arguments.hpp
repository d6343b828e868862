// Where a parameter is a value in a JSON function it is the JSON of the payload: a bound value of
// SQLite knows neither true nor an object.
#pragma once

#include <string>
#include <string_view>

namespace tether::sqlite {

/// The script with each `:name` that stands alone as a value of json_object, json_array, json_set,
/// json_insert, json_replace, json_group_array or json_group_object as `json(@name)`: a parameter
/// of its own, which is bound as JSON text. Lines stay what they are; empty: nothing changed.
/// Throws an SqlError where the script has an @name itself.
std::string withJsonArguments(std::string_view script);

}  // namespace tether::sqlite
