// The files of tools/models that the program carries along. Their text is written at build time, by
// write_scripts.cmake.
#pragma once

#include <span>
#include <string_view>

namespace akidb::cli {

struct ScriptFile {
  std::string_view name;
  std::string_view content;
};

// Of all models together: they share files.
std::span<const ScriptFile> ModelScripts();

}  // namespace akidb::cli
