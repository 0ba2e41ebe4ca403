// Formulas as messages.
#pragma once

#include "api/grpc/messages.h"
#include "base/status.h"
#include "types/query.h"

namespace akidb::rpc {

// kMalformed, kValidation: as for formulas in JSON.
Status DecodeFormula(const qdrant::Formula& message, FormulaQuery& out);

}  // namespace akidb::rpc
