// Texts that others write, as the store keeps them: UTF-8, so that they fit into any event, and
// with a limit, so that one failure cannot fill the store or a list.
#pragma once

#include "tether/command.hpp"
#include "tether/dead_letter.hpp"

namespace tether {

/// The code has at most 256 bytes, the message 16 KiB.
Failure kept(const Failure& failure);
/// The reason has at most 16 KiB, the others 1 KiB.
Operator kept(const Operator& by);

}  // namespace tether
