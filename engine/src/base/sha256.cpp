#include "base/sha256.hpp"

#include <openssl/evp.h>

#include "tether/error.hpp"

namespace tether {

Sha256Digest sha256Digest(std::string_view text) {
  // Looking the algorithm up by name costs more than hashing a short text, so it is done once.
  static EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Sha256Digest digest;
  const bool done = kAlgorithm != nullptr && EVP_Digest(text.data(), text.size(), digest.data(),
                                                        nullptr, kAlgorithm, nullptr) == 1;
  if (!done) throw Error(ErrorCode::Internal, "OpenSSL offers no SHA-256");
  return digest;
}

}  // namespace tether
