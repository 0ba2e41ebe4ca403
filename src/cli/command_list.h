// The commands, one file each; AddCommands puts them together.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "cli/backend.h"
#include "cli/filter_reader.h"

namespace akidb::cli {

using RunSlot = std::function<int()>;

void AddIngestCommand(CLI::App& app, RunSlot& run);
void AddSearchCommand(CLI::App& app, RunSlot& run);
void AddEmbedCommand(CLI::App& app, RunSlot& run);
void AddModelsCommand(CLI::App& app, RunSlot& run);
// Below `models`.
void AddDescribeCommand(CLI::App& models, RunSlot& run);
void AddImportCommand(CLI::App& models, RunSlot& run);
void AddConvertCommand(CLI::App& models, RunSlot& run);
void AddTokenizeCommand(CLI::App& models, RunSlot& run);
void AddLoadCommands(CLI::App& models, RunSlot& run);
void AddBenchCommand(CLI::App& app, RunSlot& run, const FilterReader& read_filter);
void AddInspectCommand(CLI::App& app, RunSlot& run);
void AddRepairCommand(CLI::App& app, RunSlot& run);
void AddSelftestCommand(CLI::App& app, RunSlot& run);
void AddSnapshotCommand(CLI::App& app, RunSlot& run);
void AddCompletionCommand(CLI::App& app, RunSlot& run);
void AddSessionWorkerCommand(CLI::App& app, RunSlot& run);

// --url with what its server wants. `place` lives as long as `command`.
void AddServerOptions(CLI::App& command, Place& place);
// The same, or --data-dir.
void AddPlaceOptions(CLI::App& command, Place& place);

}  // namespace akidb::cli
