// The payloads of a view's rows, and the values in them at a path, for reads by a field.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "engine/row_source.h"
#include "engine/view_matches.h"
#include "types/payload_path.h"

namespace akidb::engine {

// Reads the payloads of matched rows, best in the order of rows: stored blocks are unpacked once
// each then. The view outlives it.
class PayloadReads {
 public:
  explicit PayloadReads(const View& view) : cursors_(view.sources.size()) {}

  // Valid until the next call.
  Result<PayloadValue> Of(const MatchedRow& at) {
    auto& cursor = cursors_[at.source_number];
    if (!cursor) cursor = at.source.Payloads();
    return cursor->Read(at.row);
  }

 private:
  std::vector<std::unique_ptr<PayloadCursor>> cursors_;  // by source
};

// Calls f with each value that the path reaches in the payload, and with the elements of an array.
inline void ForEachValue(const PayloadPath& path, PayloadValue payload,
                         const std::function<void(PayloadValue)>& f) {
  path.ForEach(payload, [&](PayloadValue value) {
    if (value.kind() != PayloadValue::Kind::kArray) {
      f(value);
      return true;
    }
    value.ForEachElement([&](PayloadValue element) {
      f(element);
      return true;
    });
    return true;
  });
}

template <typename T>
void SortOnce(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace akidb::engine
