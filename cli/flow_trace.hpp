// A flow as a tree of causes, and as a line in the order of the store.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "printer.hpp"
#include "tether/flow_tree.hpp"
#include "tether/store.hpp"
#include "tether/waits_for.hpp"
#include "views.hpp"

namespace tether::cli {

struct TraceDetail {
  bool data = false;
  bool attempts = false;
};

class FlowTrace {
 public:
  /// Everything about the flow in one look; nothing when there is no such id.
  static std::optional<FlowTrace> take(Snapshot& snapshot, const std::string& id, view::Here here);

  const Flow& flow() const { return flow_; }

  nlohmann::json treeJson(TraceDetail detail, Time now) const;
  nlohmann::json timelineJson(TraceDetail detail) const;
  void showHead(Printer& print) const;
  void showTree(Printer& print, TraceDetail detail, Time now) const;
  void showTimeline(Printer& print, TraceDetail detail, Time now) const;

 private:
  /// One line of the timeline.
  struct Step {
    std::int64_t seq = 0;
    Time at;
    std::string what{};
    std::string type{};
    std::string id{};
    std::string detail{};
    Style style = Style::Plain;
    std::string data{};  // JSON text
  };

  nlohmann::json nodeJson(const FlowTree& tree, std::size_t at, TraceDetail detail, Time now) const;
  void showNode(Printer& print, const FlowTree& tree, std::size_t at, const std::string& indent,
                std::string_view branch, TraceDetail detail, Time now) const;
  void showCommand(Printer& print, const Command& command, const std::string& branch,
                   const std::string& below, TraceDetail detail, Time now) const;
  std::vector<Step> steps() const;
  std::string offset(Time time) const;

  Flow flow_;
  Time start_;
  std::map<std::int64_t, std::vector<Attempt>> attempts_;  // by the command's seq
  std::vector<DeadLetter> letters_;
  view::WaitReasons reasons_;
};

}  // namespace tether::cli
