#include "api/rest/schema/shape.h"

namespace akidb::rest {

const Field* FindField(std::span<const Field> fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const Shape* FindMemberShape(const Shape& shape, std::string_view name) {
  if (shape.kind == Shape::Kind::kAny) return &shape;
  const Field* field = FindField(shape.fields, name);
  return field != nullptr ? field->shape : shape.element;
}

}  // namespace akidb::rest
