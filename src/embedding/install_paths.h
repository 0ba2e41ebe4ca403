// Where models and the ONNX Runtime library lie: the one place that knows the layout of an
// installation. Thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "env/file_system.h"

namespace akidb::embedding {

// The folder of the running program, without a slash at its end ("/opt/akidb/bin"); "." if the
// system doesn't tell.
std::string ProgramDirectory();

// The folder of models: `configured` unless empty; else DATA/models if that exists; else the folder
// models beside the program's own folder (build/release/akidb -> build/models). An empty `data_dir`
// is skipped. The result need not exist.
std::string ModelsDirectory(env::FileSystem& fs, const std::string& configured,
                            const std::string& data_dir);

// The folder that `akidb models pull` installs the library in: lib beside the program's own folder.
std::string LibraryDirectory();

// The libraries to try, in order: `configured`, or the variable AKIDB_ORT_LIB, alone when either is
// set; else what LibraryDirectory() holds, newest name first, then the bare name, which the dynamic
// loader looks up in the system's path.
std::vector<std::string> LibraryCandidates(env::FileSystem& fs, const std::string& configured);

// Tells one library from another without opening it as one: name and bytes of the first candidate
// that is a file, else the first name.
std::string DescribeLibrary(env::FileSystem& fs, std::span<const std::string> candidates);

}  // namespace akidb::embedding
