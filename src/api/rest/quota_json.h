// The body of PUT /quotas.
#pragma once

#include <string_view>

#include "base/status.h"
#include "service/quota_config_json.h"

namespace akidb::rest {

// All of it: what isn't given is set no longer.
Result<service::QuotaConfig> DecodeQuotas(std::string_view body);

}  // namespace akidb::rest
