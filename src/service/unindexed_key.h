// Fields that a filter or a formula looks at without an index to help.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "types/collection_config.h"
#include "types/filter.h"
#include "types/formula.h"
#include "types/payload_path.h"

namespace akidb::service {

struct UnindexedKey {
  std::string key;
  std::string kinds;  // of which one would help: "float, integer"
};

// The index over a field, if there is one.
using FieldIndexes = std::function<std::optional<PayloadFieldIndex>(const PayloadPath&)>;

// The first one. Conditions on counts, on emptiness and on nulls need none.
std::optional<UnindexedKey> FindUnindexedKey(const Filter& filter, const FieldIndexes& indexes);
std::optional<UnindexedKey> FindUnindexedKey(const Formula& formula, const FieldIndexes& indexes);

// Whether an index answers which values points have.
bool AnswersMatches(const PayloadFieldIndex& index);

}  // namespace akidb::service
