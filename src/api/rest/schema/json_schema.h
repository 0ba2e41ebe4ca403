// Shapes as JSON Schema 2020-12 (https://json-schema.org/draft/2020-12/schema), the language of
// OpenAPI 3.1.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/rest/schema/shape.h"
#include "base/json_writer.h"

namespace akidb::rest {

// Shapes with a name that were referred to, each once.
class NamedShapes {
 public:
  // A reference "#/components/schemas/<name>" for a shape with a name, which is remembered; else
  // the schema itself.
  void Write(const Shape& shape, JsonWriter& json) { WriteReference(shape, false, json); }
  // An object of all that were remembered, and of those that these refer to, by name.
  void WriteAll(JsonWriter& json);
  // The same, as shapes in the order in which they were met.
  const std::vector<const Shape*>& met() const { return met_; }

 private:
  void WriteReference(const Shape& shape, bool nullable, JsonWriter& json);
  void WriteSchema(const Shape& shape, bool nullable, JsonWriter& json);
  void WriteObject(const Shape& shape, JsonWriter& json);
  void WriteMember(const Field& field, JsonWriter& json);

  std::vector<const Shape*> met_;
  std::set<std::string_view> names_;
};

}  // namespace akidb::rest
