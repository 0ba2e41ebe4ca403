#include "server/build_info.h"

namespace akidb::server {

// Commit() is in the file that write_commit.cmake writes.
std::string_view ProgramVersion() { return AKIDB_VERSION; }

}  // namespace akidb::server
