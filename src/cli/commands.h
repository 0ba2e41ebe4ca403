// The commands of the program that need no server of their own: ingest, search, embed, models,
// bench, selftest, inspect, repair, snapshot, completion.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "cli/filter_reader.h"

namespace akidb::cli {

// Adds the commands to `app`, which outlives every use. When one is chosen, its work is put into
// `run`, whose int is the exit code (exit_code.h); parsing errors stay CLI11's.
void AddCommands(CLI::App& app, std::function<int()>& run, const FilterReader& read_filter);

}  // namespace akidb::cli
