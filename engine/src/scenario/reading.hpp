// What is known while a file is read.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "catalog/config_value.hpp"

namespace tether::scenario {

/// No number in a file is larger, and no more records are looked at.
constexpr int kMost = 1'000'000;

/// A text of the file that only the project can judge.
struct Placed {
  std::string text;
  std::string place;  // file:line:column
};

struct Reading {
  int step = 0;                   // from 1
  std::string kind{};             // what that step does; empty: it only looks
  std::string meanwhile{};        // what it does while a command hangs
  std::set<std::string> names;    // given by `as` so far
  std::set<std::string> ids;      // written so far, of commands, messages and flows
  std::vector<Placed> submits{};  // command types, by the step that is read
  std::vector<Placed> sql{};      // of it
  /// Without a project only the host knows its queues.
  bool knowsQueues = false;
  std::set<std::string> queues{};   // those of the project, and those that were sent to
  std::set<std::string> remotes{};  // those that are mapped elsewhere

  /// Takes the name of `as`, if there is one; fails where one is used twice.
  std::string name(const ConfigValue& value);
  /// Takes an id that stands in the file; a $ref says nothing.
  void id(const std::optional<ConfigValue>& value);
  /// Fails at the name of a queue that is not there. `atKey`: it is the name of a member.
  void checkQueue(const std::string& queue, const ConfigValue& value, bool atKey) const;
  /// Fails at the name of a command, flow or message that was never there.
  void checkAbsent(const std::string& name, const ConfigValue& member) const;
};

}  // namespace tether::scenario
