#include "transport/sqs/libcurl.hpp"

#include <dlfcn.h>

#include <string>

#include "tether/error.hpp"

namespace tether::sqs {

namespace {

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) {
    throw Error(ErrorCode::Unavailable, "libcurl has no " + std::string(name) + ": update it");
  }
}

}  // namespace

Libcurl::Libcurl(const char* library) {
  void* loaded = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) {
    throw Error(ErrorCode::Unavailable, "cannot load libcurl, which queues on SQS need: " +
                                            std::string(::dlerror()) + "; install libcurl4");
  }
  find(loaded, "curl_global_init", globalInit);
  find(loaded, "curl_free", free);
  find(loaded, "curl_getdate", getdate);
  find(loaded, "curl_easy_init", easyInit);
  find(loaded, "curl_easy_setopt", easySetopt);
  find(loaded, "curl_easy_getinfo", easyGetinfo);
  find(loaded, "curl_easy_strerror", easyStrerror);
  find(loaded, "curl_easy_cleanup", easyCleanup);
  find(loaded, "curl_slist_append", slistAppend);
  find(loaded, "curl_slist_free_all", slistFreeAll);
  find(loaded, "curl_url", url);
  find(loaded, "curl_url_set", urlSet);
  find(loaded, "curl_url_get", urlGet);
  find(loaded, "curl_url_cleanup", urlCleanup);
  find(loaded, "curl_multi_init", multiInit);
  find(loaded, "curl_multi_setopt", multiSetopt);
  find(loaded, "curl_multi_add_handle", multiAddHandle);
  find(loaded, "curl_multi_perform", multiPerform);
  find(loaded, "curl_multi_poll", multiPoll);
  find(loaded, "curl_multi_wakeup", multiWakeup);
  find(loaded, "curl_multi_info_read", multiInfoRead);
  find(loaded, "curl_multi_remove_handle", multiRemoveHandle);
  find(loaded, "curl_multi_cleanup", multiCleanup);
  if (globalInit(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    throw Error(ErrorCode::Internal, "libcurl does not start");
  }
}

const Libcurl& libcurl() {
  static const Libcurl kLibcurl("libcurl.so.4");
  return kLibcurl;
}

}  // namespace tether::sqs
