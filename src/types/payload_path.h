// Paths into payloads: `a.b`, `a[].b` (every element), `a[0].b`, `"quoted key".x`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "types/payload.h"

namespace akidb {

class PayloadPath {
 public:
  struct AnyElement {};
  using Step = std::variant<std::string, size_t, AnyElement>;  // member, element, every element

  // kValidation with the text of the path when malformed.
  static Result<PayloadPath> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  std::span<const Step> steps() const { return steps_; }

  // Calls f with every value the path reaches, until f returns false. Nothing is called for a
  // missing field. A plain member step on an array of objects does not descend into it.
  void ForEach(PayloadValue root, const std::function<bool(PayloadValue)>& f) const;

 private:
  std::string text_;
  std::vector<Step> steps_;
};

}  // namespace akidb
