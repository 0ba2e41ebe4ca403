#include "server/build_info.h"

namespace akidb::server {
namespace {

// Written by write_commit.cmake.
constexpr std::string_view kCommit =
#include "akidb_commit.inc"
    ;
static_assert(kCommit.size() == 40);

}  // namespace

std::string_view ProgramVersion() { return AKIDB_VERSION; }
std::string_view Commit() { return kCommit; }

}  // namespace akidb::server
