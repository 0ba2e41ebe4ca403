// The file of the quotas in a data folder: docs/format/data_folder.md.
#pragma once

#include <cstdint>

namespace akidb::service {

inline constexpr char kQuotaFileName[] = "quotas.json";
inline constexpr uint64_t kQuotaFileBytesMax = 4096;

}  // namespace akidb::service
