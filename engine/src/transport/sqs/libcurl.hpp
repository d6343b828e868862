// libcurl, loaded when it is first needed: it brings some thirty libraries, to start which would
// take two thirds of the time of a verb that asks no queue elsewhere.
#pragma once

#include <curl/curl.h>

namespace tether::sqs {

/// The functions that we call, by the types of the header.
struct Libcurl {
  /// Throws Unavailable, saying what is missing.
  explicit Libcurl(const char* library);

  decltype(&::curl_global_init) globalInit;
  decltype(&::curl_free) free;
  decltype(&::curl_getdate) getdate;
  decltype(&::curl_easy_init) easyInit;
  decltype(&::curl_easy_setopt) easySetopt;
  decltype(&::curl_easy_getinfo) easyGetinfo;
  decltype(&::curl_easy_strerror) easyStrerror;
  decltype(&::curl_easy_cleanup) easyCleanup;
  decltype(&::curl_slist_append) slistAppend;
  decltype(&::curl_slist_free_all) slistFreeAll;
  decltype(&::curl_url) url;
  decltype(&::curl_url_set) urlSet;
  decltype(&::curl_url_get) urlGet;
  decltype(&::curl_url_cleanup) urlCleanup;
  decltype(&::curl_multi_init) multiInit;
  decltype(&::curl_multi_setopt) multiSetopt;
  decltype(&::curl_multi_add_handle) multiAddHandle;
  decltype(&::curl_multi_perform) multiPerform;
  decltype(&::curl_multi_poll) multiPoll;
  decltype(&::curl_multi_wakeup) multiWakeup;
  decltype(&::curl_multi_info_read) multiInfoRead;
  decltype(&::curl_multi_remove_handle) multiRemoveHandle;
  decltype(&::curl_multi_cleanup) multiCleanup;
};

/// Loaded and initialised once, and never unloaded. Throws Unavailable. From any thread.
const Libcurl& libcurl();

}  // namespace tether::sqs
