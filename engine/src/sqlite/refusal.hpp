// Why a store takes no work any more until it is opened again.
#pragma once

#include <mutex>
#include <optional>

#include "tether/error.hpp"

namespace tether::sqlite {

/// The first reason stays. Thread safety: every call from any thread.
class Refusal {
 public:
  void set(const Error& why) {
    const std::lock_guard lock(mutex_);
    if (!why_) why_ = why;
  }
  std::optional<Error> get() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Error> why_;
};

}  // namespace tether::sqlite
