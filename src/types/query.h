// Requests as every transport decodes them. Each default of the dialect lives here, once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "types/filter.h"
#include "types/payload_change.h"
#include "types/point.h"

namespace akidb {

// A text in the place of a vector; the server embeds it.
struct TextInput {
  std::string text;
  std::string model;  // empty: the default model
};

using VectorInput = std::variant<DenseVector, TextInput>;

struct PointInput {
  PointId id;
  std::vector<std::pair<std::string, VectorInput>> vectors;  // "" is the default vector
  Payload payload;
};

struct UpsertRequest {
  std::vector<PointInput> points;
};

// Vectors that replace, or join, those that points have.
struct VectorsUpdate {
  std::vector<PointInput> points;        // without payloads
  std::shared_ptr<const Filter> filter;  // of these, only those that it admits; null: all
};

// Exactly one of the two is given.
struct PointSelector {
  std::vector<PointId> ids;
  std::shared_ptr<const Filter> filter;
};

struct PayloadEdit {
  PointSelector points;
  PayloadChange change;
};

struct VectorsRemoval {
  std::vector<PointSelector> points;  // one after the other
  std::vector<std::string> names;
};

struct PointsDeletion {
  PointSelector points;
};

// One write of several that are asked for at once.
using UpdateOperation =
    std::variant<UpsertRequest, PointsDeletion, PayloadEdit, VectorsUpdate, VectorsRemoval>;

struct RetrieveRequest {
  std::vector<PointId> ids;
  PayloadSelector with_payload = PayloadSelector::All();
  VectorSelector with_vectors;
};

struct ScrollRequest {
  std::optional<PointId> offset;  // the first id to return
  size_t limit = 10;
  std::shared_ptr<const Filter> filter;  // null: all points
  PayloadSelector with_payload = PayloadSelector::All();
  VectorSelector with_vectors;
};

struct CountRequest {
  std::shared_ptr<const Filter> filter;
  bool exact = true;
};

struct QueryRequest {
  // monostate: points by order of id.
  std::variant<std::monostate, DenseVector, PointId, TextInput> query;
  std::string using_vector;  // "" is the default vector
  std::shared_ptr<const Filter> filter;
  size_t limit = 10;
  size_t offset = 0;
  std::optional<float> score_threshold;  // in the wire's terms
  bool exact = false;                    // compare with every vector
  size_t ef = 0;                         // candidates in a graph; 0: the default
  double recall = 0;                     // share of the nearest to be found; 0: the default
  bool explain = false;                  // tell how the search was carried out
  PayloadSelector with_payload;
  VectorSelector with_vectors;
};

}  // namespace akidb
