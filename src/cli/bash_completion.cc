#include "cli/bash_completion.h"

#include <vector>

namespace akidb::cli {
namespace {

// "akidb models pull" is known as "models pull".
struct Node {
  const CLI::App* app;
  std::string path;
};

std::vector<const CLI::App*> SubcommandsOf(const CLI::App& app) {
  // Without a group are those that people don't call.
  return app.get_subcommands([](const CLI::App* below) {
    return !below->get_name().empty() && !below->get_group().empty();
  });
}

void Collect(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
  nodes.push_back({&app, path});
  for (const CLI::App* below : SubcommandsOf(app)) {
    Collect(*below, path.empty() ? below->get_name() : path + " " + below->get_name(), nodes);
  }
}

std::vector<const CLI::Option*> OptionsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

std::vector<std::string> FlagsOf(const CLI::Option& option) {
  std::vector<std::string> flags;
  for (const std::string& name : option.get_lnames()) flags.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flags.push_back("-" + name);
  return flags;
}

std::string WordsOf(const CLI::App& app) {
  std::string words;
  for (const CLI::App* below : SubcommandsOf(app)) words += below->get_name() + " ";
  for (const CLI::Option* option : OptionsOf(app)) {
    for (const std::string& flag : FlagsOf(*option)) words += flag + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

bool TakesFolder(const CLI::Option& option) { return option.get_type_name() == "DIR"; }

bool TakesFile(const CLI::Option& option) { return option.get_type_name() == "FILE"; }

// The flags with a value, joined for a case pattern: "--a|--b".
template <typename Predicate>
std::string PatternOf(const std::vector<Node>& nodes, Predicate predicate) {
  std::string pattern;
  for (const Node& node : nodes) {
    for (const CLI::Option* option : OptionsOf(*node.app)) {
      if (option->get_items_expected_max() == 0 || !predicate(*option)) continue;
      for (const std::string& flag : FlagsOf(*option)) {
        std::string bounded = "|" + pattern + "|";
        if (bounded.find("|" + flag + "|") != std::string::npos) continue;
        pattern.append(pattern.empty() ? "" : "|").append(flag);
      }
    }
  }
  return pattern.empty() ? "--" : pattern;
}

bool TakesPaths(const CLI::App& app) {
  return !app.get_options([](const CLI::Option* option) {
               if (!option->get_positional()) return false;
               const std::string name = option->get_name(true);
               return name == "PATH" || name == "FILE" || name == "DIR";
             })
              .empty();
}

}  // namespace

std::string BashCompletion(const CLI::App& app, const std::string& program) {
  std::vector<Node> nodes;
  Collect(app, "", nodes);
  std::string commands;
  std::string words;
  std::string paths;
  for (const Node& node : nodes) {
    if (!node.path.empty()) commands += (commands.empty() ? "" : "|") + ("'" + node.path + "'");
    words += "    '" + node.path + "') words='" + WordsOf(*node.app) + "' ;;\n";
    if (TakesPaths(*node.app)) paths += (paths.empty() ? "'" : "|'") + node.path + "'";
  }
  if (commands.empty()) commands = "''";
  if (paths.empty()) paths = "'-'";
  const std::string function = "_" + program + "_complete";
  std::string out;
  out += "# bash completion of " + program + ": source <(" + program + " completion bash)\n";
  out += function + "() {\n";
  out += "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n";
  out += "  local command='' words='' i\n";
  out += "  COMPREPLY=()\n";
  out += "  for ((i = 1; i < COMP_CWORD; ++i)); do\n";
  out += "    case \"${command:+$command }${COMP_WORDS[i]}\" in\n";
  out += "      " + commands + ") command=${command:+$command }${COMP_WORDS[i]} ;;\n";
  out += "    esac\n";
  out += "  done\n";
  out += "  case $previous in\n";
  out +=
      "    " + PatternOf(nodes, TakesFolder) +
      ") mapfile -t COMPREPLY < <(compgen -d -- \"$current\"); compopt -o filenames 2>/dev/null; "
      "return ;;\n";
  out +=
      "    " + PatternOf(nodes, TakesFile) +
      ") mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); compopt -o filenames 2>/dev/null; "
      "return ;;\n";
  out += "    " +
         PatternOf(nodes, [](const CLI::Option& o) { return !TakesFolder(o) && !TakesFile(o); }) +
         ") return ;;\n";
  out += "  esac\n";
  out += "  case $command in\n" + words + "  esac\n";
  out += "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n";
  out += "  case $command in\n";
  out += "    " + paths + ")\n";
  out += "      if [[ $current != -* ]]; then\n";
  out += "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n";
  out += "        compopt -o filenames 2>/dev/null\n";
  out += "      fi ;;\n";
  out += "  esac\n";
  out += "}\n";
  out += "complete -F " + function + " " + program + "\n";
  return out;
}

}  // namespace akidb::cli
