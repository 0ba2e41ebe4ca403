// A completion script for bash, made from the program's own description of its commands.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace akidb::cli {

// Completes subcommands, flags, and files where a value or an argument may be a path.
std::string BashCompletion(const CLI::App& app, const std::string& program);

}  // namespace akidb::cli
