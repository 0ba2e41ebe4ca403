// What the dialect says of writes that change no point, or too few.
#pragma once

#include "base/status.h"
#include "service/service.h"

namespace akidb::dialect {

// kInvalidArgument for a change of the payloads or vectors of no points.
Status CheckNotEmpty(const PayloadEdit& edit);
Status CheckNotEmpty(const VectorsRemoval& removal);
// Names the operation.
Status CheckNotEmpty(std::span<const UpdateOperation> operations);

// As the dialect has it, an unknown id is kNotFound once the others are changed, told to who waits.
Status CheckFound(const service::WriteReply& reply, bool wait);

}  // namespace akidb::dialect
