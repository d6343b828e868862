// What the tool adds to an error of the library.
#include <doctest/doctest.h>

#include <vector>

#include "hints.hpp"

namespace tether::cli {

TEST_CASE("an error of the library gets the verb or option that helps, where there is one") {
  struct Row {
    ErrorCode code;
    Subject subject;
    const char* text;
  };
  const std::vector<Row> rows = {
      {ErrorCode::NotFound, Subject::None, "it"},
      {ErrorCode::NotFound, Subject::DeadLetter, "it: see 'tether dlq list'"},
      {ErrorCode::Conflict, Subject::DeadLetter, "it; see 'tether dlq restore'"},
      {ErrorCode::NotFound, Subject::Event, "it: see 'tether event list'"},
      {ErrorCode::NotFound, Subject::Queue, "it: see 'tether queue list'"},
      {ErrorCode::Invalid, Subject::Queue, "it; leave out --type"},
      {ErrorCode::Conflict, Subject::Plan, "it; --resume goes on with the rest"},
      {ErrorCode::Conflict, Subject::DedupWindow,
       "it; --allow-expired-dedup replays it all the same"},
      {ErrorCode::Invalid, Subject::DedupWindow,
       "it; say an earlier --until, or --allow-expired-dedup"},
      {ErrorCode::Invalid, Subject::Store, "it: make one with 'tether store migrate'"},
      {ErrorCode::Corrupt, Subject::StoreFiles, "it; see 'tether store verify'"},
  };
  for (const auto& [code, subject, text] : rows)
    CHECK(withHint(Error(code, "it", subject)) == text);
}

}  // namespace tether::cli
