#include "hints.hpp"

namespace tether::cli {
namespace {

std::string hintFor(const Error& error) {
  const bool missing = error.code() == ErrorCode::NotFound;
  const bool conflict = error.code() == ErrorCode::Conflict;
  switch (error.subject()) {
    case Subject::DeadLetter:
      return missing ? ": see 'tether dlq list'" : "; see 'tether dlq restore'";
    case Subject::Event:
      return ": see 'tether event list'";
    case Subject::Queue:
      return missing ? ": see 'tether queue list'" : "; leave out --type";
    case Subject::Plan:
      return "; --resume goes on with the rest";
    case Subject::DedupWindow:
      return conflict ? "; --allow-expired-dedup replays it all the same"
                      : "; say an earlier --until, or --allow-expired-dedup";
    case Subject::Store:
      return ": make one with 'tether store migrate'";
    case Subject::StoreFiles:
      return "; see 'tether store verify'";
    case Subject::None:
      break;
  }
  return "";
}

}  // namespace

std::string withHint(const Error& error) { return error.what() + hintFor(error); }

}  // namespace tether::cli
