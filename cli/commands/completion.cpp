// Print a script that completes verbs, options and live values. See man/tether-store.1.
#include <memory>
#include <string>
#include <string_view>

#include "all.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

// Each script hands the words before the cursor to `tether __complete`, which answers with lines of
// WORD<TAB>HELP. So the scripts never change when a verb does.
constexpr std::string_view kBash =
    R"sh(# tether completion for bash: source <(tether completion bash)
_tether() {
  local word help
  COMPREPLY=()
  while IFS=$'\t' read -r word help; do
    [[ $word == "$2"* ]] && COMPREPLY+=("$word")
  done < <(tether __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _tether tether
)sh";

constexpr std::string_view kZsh = R"sh(#compdef tether
# tether completion for zsh: source <(tether completion zsh)
_tether() {
  local -a answers
  local word help
  while IFS=$'\t' read -r word help; do
    answers+=("${word//:/\\:}:${help}")
  done < <(tether __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#answers} )); then _describe tether answers; else _files; fi
}
if [[ $funcstack[1] == _tether ]]; then _tether "$@"; else compdef _tether tether; fi
)sh";

constexpr std::string_view kFish =
    R"sh(# tether completion for fish: tether completion fish | source
function __tether_complete
  set -l words (commandline -opc) (commandline -ct)
  tether __complete $words[2..] 2>/dev/null
end
complete -c tether -a '(__tether_complete)'
)sh";

struct CompletionOptions {
  std::string shell;
};

std::string_view scriptFor(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  throw Error(ErrorCode::Invalid,
              "no completion for " + quote(shell) + "; there is bash, zsh, fish");
}

int runCompletion(const CompletionOptions& options, Session& session) {
  const auto script = scriptFor(options.shell);
  session.print().answer("completion", {{"shell", options.shell}, {"script", script}},
                         [&] { session.print().text(script); });
  return kDone;
}

}  // namespace

void addCompletion(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<CompletionOptions>();
  const auto verb = addVerb(tool, "completion", "Print a completion script for a shell",
                            "source <(tether completion bash)");
  verb.argument("SHELL", options->shell, "bash, zsh or fish").required();
  onChosen(verb, chosen, options, runCompletion);
}

}  // namespace tether::cli
