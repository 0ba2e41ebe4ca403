// Errors as clients see them: the dialect's codes and texts (docs/api/README.md has the table), and
// OpenAI's form for the routes under /v1.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace akidb::rest {

int HttpStatusOf(ErrorCode code);

// {"status":{"error":text},"time":seconds}
std::string ErrorBody(std::string_view text, double seconds);

// {"error":{"message","type","param":null,"code":null}}
std::string OpenAiErrorBody(const Status& status);

}  // namespace akidb::rest
