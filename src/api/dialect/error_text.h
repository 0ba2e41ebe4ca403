// What went wrong, in the words that clients of the dialect match.
#pragma once

#include <string>

#include "base/status.h"

namespace akidb::dialect {

// What a request came as; the dialect names it when it can't be read.
enum class BodyForm : unsigned char { kJson, kProtobuf };

// With the prefix of the error's kind.
std::string ErrorText(const Status& status, BodyForm form);

}  // namespace akidb::dialect
