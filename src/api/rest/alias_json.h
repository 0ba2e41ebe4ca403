// The body of POST /collections/aliases.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "service/service.h"

namespace akidb::rest {

// {"actions": [{"create_alias": {"collection_name", "alias_name"}}, {"delete_alias":
// {"alias_name"}},
// {"rename_alias": {"old_alias_name", "new_alias_name"}}]}
Result<std::vector<service::AliasChange>> DecodeAliasChanges(std::string_view body);

}  // namespace akidb::rest
