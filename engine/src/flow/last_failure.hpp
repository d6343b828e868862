// Why the last call to a queue elsewhere failed, for who asks from another thread.
#pragma once

#include <mutex>
#include <string>

namespace tether::flow {

class LastFailure {
 public:
  /// Empty: it did not fail.
  void set(std::string why) {
    const std::scoped_lock lock(mutex_);
    why_ = std::move(why);
  }
  std::string get() const {
    const std::scoped_lock lock(mutex_);
    return why_;
  }

 private:
  mutable std::mutex mutex_;
  std::string why_;
};

}  // namespace tether::flow
