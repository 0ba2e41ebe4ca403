// The dialect's JSON as the HTTP backend writes and reads it. Functions are thread-safe.
//
// Readers return kInternal when an answer is not what the API promises.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/backend.h"

namespace akidb::cli {

std::string WriteCreateCollection(const NewCollection& wanted);
std::string WriteUpsert(const TextVectors& vectors, std::span<const TextPoint> points);
std::string WriteIds(std::span<const PointId> ids);
std::string WriteRetrieve(std::span<const PointId> ids, const std::vector<std::string>& fields);
std::string WriteScroll(const std::optional<PointId>& from, size_t limit,
                        const std::vector<std::string>& fields);
std::string WriteQuery(const SearchQuestion& question);
std::string WriteEmbeddings(const std::string& model, std::span<const std::string> texts);

Result<CollectionFacts> ReadCollection(std::string_view body);
Result<std::vector<StoredPoint>> ReadPoints(std::string_view body);
Result<StoredPage> ReadPage(std::string_view body);
Result<SearchAnswer> ReadAnswer(std::string_view body);
// Appends to `answer`.
Status ReadEmbeddings(std::string_view body, EmbedAnswer& answer);
// By id or alias; empty is the default. kNotFound names those that there are.
Result<ModelFacts> ReadModel(std::string_view body, const std::string& name);

// The reason that an error's body gives, of either form; empty when there is none.
std::string ReadError(std::string_view body);

}  // namespace akidb::cli
