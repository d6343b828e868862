#include "outlet.hpp"

namespace tether::cli {

Outlet::~Outlet() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Outlet::say(std::function<void(Printer&)> what, std::size_t bytes) {
  {
    const std::scoped_lock lock(mutex_);
    if (closed_ || ending_) return;
    items_.push_back({std::move(what), bytes});
    ++waiting_;
    bytes_ += bytes;
  }
  changed_.notify_all();
}

bool Outlet::finish(Duration atMost) {
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    if (!changed_.wait_for(lock, atMost, [this] { return ended_; })) return false;
  }
  if (thread_.joinable()) thread_.join();
  return true;
}

std::exception_ptr Outlet::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

void Outlet::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !items_.empty(); });
    if (items_.empty()) break;
    const auto item = std::move(items_.front());
    items_.pop_front();
    const bool closed = closed_;
    lock.unlock();
    if (!closed) print(item);
    --waiting_;
    bytes_ -= item.bytes;
    lock.lock();
  }
  ended_ = true;
  changed_.notify_all();
}

void Outlet::print(const Item& item) {
  try {
    return item.what(print_);
  } catch (const OutputClosed&) {  // work goes on: nobody looks any more
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    failure_ = std::current_exception();
  }
}

}  // namespace tether::cli
