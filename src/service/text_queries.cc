#include "service/text_queries.h"

#include <string>
#include <utility>

namespace akidb::service {
namespace {

bool NamesTexts(const engine::Collection& collection, const std::string& field) {
  if (field.empty() || collection.config().vectors.contains(field)) return false;
  const Result<PayloadPath> path = PayloadPath::Parse(field);
  if (!path.ok()) return false;
  const std::optional<PayloadFieldIndex> index = collection.IndexOn(*path);
  return index && index->kind == PayloadFieldKind::kText;
}

}  // namespace

void ResolveTextQueries(const engine::Collection& collection, QueryStage& stage) {
  auto* const text = std::get_if<TextInput>(&stage.query);
  if (text != nullptr && text->model.empty() && NamesTexts(collection, stage.using_vector)) {
    std::string words = std::move(text->text);
    stage.query = TextQuery{.text = std::move(words)};
  }
  for (QueryStage& prefetch : stage.prefetch) ResolveTextQueries(collection, prefetch);
}

}  // namespace akidb::service
