#include "api/rest/schema/shape.h"

namespace akidb::rest {

const Field* FindField(std::span<const Field> fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace akidb::rest
