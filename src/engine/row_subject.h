// One row of a source, as a filter sees it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "engine/filter_evaluator.h"
#include "engine/row_source.h"
#include "engine/vector_schema.h"

namespace akidb::engine {

// `source` and `schema` outlive it. One thread.
class RowSubject final : public FilterSubject {
 public:
  RowSubject(const RowSource& source, const VectorSchema& schema)
      : source_(source), schema_(schema) {}

  void Select(uint32_t row) { row_ = row; }
  // The first payload that could not be read; the filter then saw null.
  const Status& status() const { return status_; }

  std::optional<PointId> id() override { return source_.id(row_); }

  PayloadValue payload() override {
    if (!payloads_) payloads_ = source_.Payloads();
    Result<PayloadValue> payload = payloads_->Read(row_);
    if (payload.ok()) return *payload;
    if (status_.ok()) status_ = payload.status();
    return PayloadValue();
  }

  bool HasVector(std::string_view name) override {
    std::optional<size_t> ordinal = schema_.Find(name);
    return ordinal && source_.HasVector(row_, *ordinal);
  }

 private:
  const RowSource& source_;
  const VectorSchema& schema_;
  std::unique_ptr<PayloadCursor> payloads_;
  uint32_t row_ = 0;
  Status status_;
};

}  // namespace akidb::engine
