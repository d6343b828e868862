// submit --batch: one command a line in, one receipt a line out.
#pragma once

#include <string>
#include <string_view>

#include "session.hpp"
#include "tether/command.hpp"

namespace tether::cli {

/// Reads NDJSON from a file, or stdin for "-". Each receipt is printed after its commit, in the
/// order of the lines; bad lines go to stderr by number. Returns 0, or 6 when some lines failed.
/// With `atomic` nothing is accepted unless everything is, and the first failure's code counts.
int submitBatch(Session& session, const std::string& source, bool atomic);

/// {"type","payload","id","key","correlationId","idempotencyKey","delay" or "at"}; only the type is
/// required. Throws Invalid.
CommandRequest parseBatchLine(std::string_view line);

}  // namespace tether::cli
