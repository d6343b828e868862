// libcurl, loaded when it is first needed: it brings some thirty libraries, to start which would
// take two thirds of the time of a verb that asks no queue elsewhere.
#pragma once

#include <curl/curl.h>

namespace tether::sqs {

/// The functions that we call, by the types of the header.
class Libcurl {
  void* const library_;  // the first member: the others are found in it

 public:
  /// Throws Unavailable, saying what is missing.
  explicit Libcurl(const char* library);

  decltype(&::curl_global_init) globalInit = find<decltype(globalInit)>("curl_global_init");
  decltype(&::curl_free) free = find<decltype(free)>("curl_free");
  decltype(&::curl_getdate) getdate = find<decltype(getdate)>("curl_getdate");
  decltype(&::curl_easy_init) easyInit = find<decltype(easyInit)>("curl_easy_init");
  decltype(&::curl_easy_setopt) easySetopt = find<decltype(easySetopt)>("curl_easy_setopt");
  decltype(&::curl_easy_getinfo) easyGetinfo = find<decltype(easyGetinfo)>("curl_easy_getinfo");
  decltype(&::curl_easy_strerror) easyStrerror = find<decltype(easyStrerror)>("curl_easy_strerror");
  decltype(&::curl_easy_cleanup) easyCleanup = find<decltype(easyCleanup)>("curl_easy_cleanup");
  decltype(&::curl_slist_append) slistAppend = find<decltype(slistAppend)>("curl_slist_append");
  decltype(&::curl_slist_free_all) slistFreeAll =
      find<decltype(slistFreeAll)>("curl_slist_free_all");
  decltype(&::curl_url) url = find<decltype(url)>("curl_url");
  decltype(&::curl_url_set) urlSet = find<decltype(urlSet)>("curl_url_set");
  decltype(&::curl_url_get) urlGet = find<decltype(urlGet)>("curl_url_get");
  decltype(&::curl_url_cleanup) urlCleanup = find<decltype(urlCleanup)>("curl_url_cleanup");
  decltype(&::curl_multi_init) multiInit = find<decltype(multiInit)>("curl_multi_init");
  decltype(&::curl_multi_setopt) multiSetopt = find<decltype(multiSetopt)>("curl_multi_setopt");
  decltype(&::curl_multi_add_handle) multiAddHandle =
      find<decltype(multiAddHandle)>("curl_multi_add_handle");
  decltype(&::curl_multi_perform) multiPerform = find<decltype(multiPerform)>("curl_multi_perform");
  decltype(&::curl_multi_poll) multiPoll = find<decltype(multiPoll)>("curl_multi_poll");
  decltype(&::curl_multi_wakeup) multiWakeup = find<decltype(multiWakeup)>("curl_multi_wakeup");
  decltype(&::curl_multi_info_read) multiInfoRead =
      find<decltype(multiInfoRead)>("curl_multi_info_read");
  decltype(&::curl_multi_remove_handle) multiRemoveHandle =
      find<decltype(multiRemoveHandle)>("curl_multi_remove_handle");
  decltype(&::curl_multi_cleanup) multiCleanup = find<decltype(multiCleanup)>("curl_multi_cleanup");

 private:
  template <class Function>
  Function find(const char* name) const {
    return reinterpret_cast<Function>(address(name));
  }
  void* address(const char* name) const;
};

/// Loaded and initialised once, and never unloaded. Throws Unavailable. From any thread.
const Libcurl& libcurl();

}  // namespace tether::sqs
