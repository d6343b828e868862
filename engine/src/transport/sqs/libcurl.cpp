#include "transport/sqs/libcurl.hpp"

#include <dlfcn.h>

#include <string>

#include "tether/error.hpp"

namespace tether::sqs {

namespace {

void* load(const char* library) {
  void* loaded = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (loaded != nullptr) return loaded;
  throw Error(ErrorCode::Unavailable, "cannot load libcurl, which queues on SQS need: " +
                                          std::string(::dlerror()) + "; install libcurl4");
}

}  // namespace

Libcurl::Libcurl(const char* library) : library_(load(library)) {
  if (globalInit(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    throw Error(ErrorCode::Internal, "libcurl does not start");
  }
}

void* Libcurl::address(const char* name) const {
  if (void* found = ::dlsym(library_, name)) return found;
  throw Error(ErrorCode::Unavailable, "libcurl has no " + std::string(name) + ": update it");
}

const Libcurl& libcurl() {
  static const Libcurl kLibcurl("libcurl.so.4");
  return kLibcurl;
}

}  // namespace tether::sqs
