#include "engine/text_filter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace akidb::engine {
namespace {

using Clause = std::vector<Condition> Filter::*;
constexpr std::array<Clause, 4> kClauses = {&Filter::must, &Filter::should, &Filter::must_not,
                                            &Filter::min_should};

bool LooksAtTexts(const Filter& filter) {
  auto looks = [](const Condition& condition) {
    if (const auto* field = std::get_if<FieldCondition>(&condition)) {
      return std::holds_alternative<MatchText>(field->predicate);
    }
    const auto* inner = std::get_if<std::shared_ptr<const Filter>>(&condition);
    return inner != nullptr && LooksAtTexts(**inner);
  };
  return std::any_of(kClauses.begin(), kClauses.end(), [&](Clause clause) {
    return std::any_of((filter.*clause).begin(), (filter.*clause).end(), looks);
  });
}

void Change(const PayloadIndexSchema& schema, Condition& condition) {
  if (auto* field = std::get_if<FieldCondition>(&condition)) {
    auto* match = std::get_if<MatchText>(&field->predicate);
    const PayloadIndexSpec* spec = match == nullptr ? nullptr : schema.SpecOf(field->key);
    if (spec == nullptr || spec->analyzer == nullptr) return;
    match->analyzer = spec->analyzer;
    // What stands one after the other are tokens as texts have them.
    match->words = match->mode == MatchText::Mode::kPhrase
                       ? spec->analyzer->DocumentTokens(match->text)
                       : spec->analyzer->QueryTokens(match->text);
  } else if (auto* inner = std::get_if<std::shared_ptr<const Filter>>(&condition)) {
    if (auto changed = WithAnalyzers(inner->get(), schema)) *inner = std::move(changed);
  }
}

}  // namespace

std::shared_ptr<const Filter> WithAnalyzers(const Filter* filter,
                                            const PayloadIndexSchema& schema) {
  if (filter == nullptr || !schema.has_texts() || !LooksAtTexts(*filter)) return nullptr;
  auto changed = std::make_shared<Filter>(*filter);
  for (Clause clause : kClauses) {
    for (Condition& condition : (*changed).*clause) Change(schema, condition);
  }
  return changed;
}

}  // namespace akidb::engine
