// What the decoders of files have in common.
#pragma once

#include <string>

#include "base/status.h"
#include "decoder.h"
#include "env/file_system.h"

namespace akidb::fuzz {

// Of a damaged file, or of one that a newer version wrote.
bool IsRefusal(const Status& status);

Bytes ReadFile(env::FileSystem& fs, const std::string& path);

// Makes checksums and sizes of a file of sections right (docs/format/segment.md).
void MendSections(Bytes& input);

}  // namespace akidb::fuzz
