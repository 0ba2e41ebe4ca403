#include "api/rest/query_form_json.h"

#include <array>
#include <cmath>
#include <utility>

#include "api/rest/formula_json.h"
#include "api/rest/vector_json.h"
#include "types/datetime.h"

namespace akidb::rest {
namespace {

// Of which each is compared with each other.
constexpr size_t kFeedbackMax = 1024;
// The dialect's own bound.
constexpr size_t kDiverseCandidatesMax = 16384;

Status ReadFloat(JsonElement value, const FieldPath& path, float& out) {
  double number = 0;
  AKIDB_RETURN_IF_ERROR(ReadDouble(value, path, number));
  out = static_cast<float>(number);
  return std::isfinite(out) ? OkStatus() : RangeError(path, "must fit a float32");
}

Status ReadNearest(JsonElement value, const FieldPath& path, QueryForm& out) {
  QueryInput input;
  AKIDB_RETURN_IF_ERROR(ReadQueryInput(value, path, input));
  std::visit([&](auto&& kind) { out = std::move(kind); }, std::move(input));
  return OkStatus();
}

Status ReadDiversity(JsonElement value, const FieldPath& path, DiverseQuery& out) {
  return ForEachMember(
      value, path, "an object {\"diversity\": …, \"candidates_limit\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key == "diversity") {
          if (IsNull(member)) return OkStatus();
          AKIDB_RETURN_IF_ERROR(ReadFloat(member, at, out.diversity));
          if (out.diversity >= 0 && out.diversity <= 1) return OkStatus();
          return RangeError(at, "must be from 0.0 to 1.0");
        }
        if (key != "candidates_limit") return UnknownField(at, "`diversity`, `candidates_limit`");
        if (IsNull(member)) return OkStatus();
        AKIDB_RETURN_IF_ERROR(ReadSize(member, at, 1, out.candidates_limit.emplace()));
        if (*out.candidates_limit <= kDiverseCandidatesMax) return OkStatus();
        return RangeError(at, "must be " + std::to_string(kDiverseCandidatesMax) + " or smaller");
      });
}

Status ReadNearestObject(JsonElement value, const FieldPath& path, QueryForm& out) {
  bool is_diverse = false;
  DiverseQuery diverse;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"nearest\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "nearest") return ReadQueryInput(member, at, diverse.nearest);
                      if (key != "mmr") return UnknownField(at, "`nearest`, `mmr`");
                      is_diverse = !IsNull(member);
                      return is_diverse ? ReadDiversity(member, at, diverse) : OkStatus();
                    }));
  if (is_diverse) {
    out = std::move(diverse);
  } else {
    std::visit([&](auto&& kind) { out = std::move(kind); }, std::move(diverse.nearest));
  }
  return OkStatus();
}

Status ReadRecommend(JsonElement value, const FieldPath& path, QueryForm& out) {
  RecommendQuery& recommend = out.emplace<RecommendQuery>();
  return ForEachMember(
      value, path, "an object {\"positive\": …, \"negative\": …, \"strategy\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key == "positive") return ReadQueryInputs(member, at, recommend.positive);
        if (key == "negative") return ReadQueryInputs(member, at, recommend.negative);
        if (key == "strategy") return ReadRecommendStrategy(member, at, recommend.strategy);
        return UnknownField(at, "`positive`, `negative`, `strategy`");
      });
}

Status ReadDiscover(JsonElement value, const FieldPath& path, QueryForm& out) {
  DiscoverQuery& discover = out.emplace<DiscoverQuery>();
  bool has_target = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"target\": …, \"context\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "context") return ReadContextPairs(member, at, discover.context);
                      if (key != "target") return UnknownField(at, "`target`, `context`");
                      has_target = true;
                      return ReadQueryInput(member, at, discover.target);
                    }));
  return has_target ? OkStatus() : MissingField(path, "target");
}

Status ReadContext(JsonElement value, const FieldPath& path, QueryForm& out) {
  return ReadContextPairs(value, path, out.emplace<ContextQuery>().context);
}

Status ReadOrder(JsonElement value, const FieldPath& path, QueryForm& out) {
  return ReadOrderBy(value, path, out.emplace<OrderBy>());
}

Status ReadFusion(JsonElement value, const FieldPath& path, QueryForm& out) {
  FusionQuery& fusion = out.emplace<FusionQuery>();
  std::string_view name;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, name));
  if (name == "dbsf") {
    fusion.method = FusionQuery::Method::kDistribution;
  } else if (name != "rrf") {
    return FieldError(path, "unknown variant, expected `rrf` or `dbsf`");
  }
  return OkStatus();
}

Status ReadRankFusion(JsonElement value, const FieldPath& path, QueryForm& out) {
  FusionQuery& fusion = out.emplace<FusionQuery>();
  return ForEachMember(
      value, path, "an object {\"k\": …, \"weights\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key != "k" && key != "weights") return UnknownField(at, "`k`, `weights`");
        if (IsNull(member)) return OkStatus();
        if (key == "k") return ReadSize(member, at, 1, fusion.k);
        return ForEachElement(member, at, "an array of numbers",
                              [&](JsonElement element, const FieldPath& place) {
                                return ReadFloat(element, place, fusion.weights.emplace_back());
                              });
      });
}

Status ReadSample(JsonElement value, const FieldPath& path, QueryForm& out) {
  std::string_view name;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, name));
  if (name != "random") return FieldError(path, "unknown variant, expected `random`");
  out = SampleQuery();
  return OkStatus();
}

Status ReadFeedbackItem(JsonElement value, const FieldPath& path, FeedbackItem& out) {
  int found = 0;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"example\": …, \"score\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "example") {
                        found |= 1;
                        return ReadQueryInput(member, at, out.example);
                      }
                      if (key != "score") return UnknownField(at, "`example`, `score`");
                      found |= 2;
                      return ReadFloat(member, at, out.score);
                    }));
  if ((found & 1) == 0) return MissingField(path, "example");
  return (found & 2) == 0 ? MissingField(path, "score") : OkStatus();
}

Status ReadNaiveWeights(JsonElement value, const FieldPath& path, FeedbackQuery& out) {
  int found = 0;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"a\": …, \"b\": …, \"c\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key != "a" && key != "b" && key != "c") {
                        return UnknownField(at, "`a`, `b`, `c`");
                      }
                      ++found;
                      return ReadFloat(member, at, key == "a" ? out.a : key == "b" ? out.b : out.c);
                    }));
  return found == 3 ? OkStatus() : FieldError(path, "expected `a`, `b` and `c`");
}

Status ReadFeedback(JsonElement value, const FieldPath& path, QueryForm& out) {
  FeedbackQuery& query = out.emplace<FeedbackQuery>();
  int found = 0;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      value, path, "an object {\"target\": …, \"feedback\": …, \"strategy\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key == "target") {
          found |= 1;
          return ReadQueryInput(member, at, query.target);
        }
        if (key == "feedback") {
          found |= 2;
          return ForEachElement(
              member, at, "an array of objects", [&](JsonElement item, const FieldPath& place) {
                return ReadFeedbackItem(item, place, query.feedback.emplace_back());
              });
        }
        if (key != "strategy") return UnknownField(at, "`target`, `feedback`, `strategy`");
        found |= 4;
        JsonElement naive;
        if (!FindMember(member, "naive", naive)) return MissingField(at, "naive");
        return ReadNaiveWeights(naive, at.Member("naive"), query);
      }));
  if ((found & 1) == 0) return MissingField(path, "target");
  if ((found & 2) == 0) return MissingField(path, "feedback");
  if ((found & 4) == 0) return MissingField(path, "strategy");
  if (query.feedback.size() <= kFeedbackMax) return OkStatus();
  return RangeError(path.Member("feedback"),
                    "at most " + std::to_string(kFeedbackMax) + " items are compared");
}

Status ReadBm25(JsonElement value, const FieldPath& path, TextQuery& out) {
  return ForEachMember(
      value, path, "an object {\"k\": …, \"b\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key != "k" && key != "b") return UnknownField(at, "`k`, `b`");
        if (IsNull(member)) return OkStatus();
        float& number = key == "k" ? out.k1 : out.b;
        AKIDB_RETURN_IF_ERROR(ReadFloat(member, at, number));
        if (number < 0) return RangeError(at, "must be 0.0 or larger");
        return key == "k" || number <= 1 ? OkStatus() : RangeError(at, "must be from 0.0 to 1.0");
      });
}

Status ReadTextScoring(JsonElement value, const FieldPath& path, TextQuery& out) {
  if (IsNull(value)) return OkStatus();
  JsonElement bm25;
  AKIDB_RETURN_IF_ERROR(CheckObject(value, path, "an object {\"bm25\": …}"));
  if (!FindMember(value, "bm25", bm25)) return MissingField(path, "bm25");
  return ForEachMember(value, path, "an object {\"bm25\": …}",
                       [&](std::string_view key, JsonElement member, const FieldPath& at) {
                         return key == "bm25" ? ReadBm25(member, at, out)
                                              : UnknownField(at, "`bm25`");
                       });
}

// {"text": {"query": …, "scoring": …}}. A text alone stands for a vector as well: the service tells
// which by what `using` names.
Status ReadTextQuery(JsonElement value, const FieldPath& path, QueryForm& out) {
  TextQuery& query = out.emplace<TextQuery>();
  return ForEachMember(
      value, path, "an object {\"text\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key != "text") return UnknownField(at, "`text`");
        return ForEachMember(
            member, at, "a text, or an object {\"query\": …, \"scoring\": …}",
            [&](std::string_view name, JsonElement part, const FieldPath& place) -> Status {
              if (name == "scoring") return ReadTextScoring(part, place, query);
              if (name != "query") return UnknownField(place, "`query`, `scoring`");
              std::string_view text;
              AKIDB_RETURN_IF_ERROR(ReadString(part, place, text));
              query.text = text;
              return OkStatus();
            });
      });
}

using FormReader = Status (*)(JsonElement value, const FieldPath& path, QueryForm& out);

struct NamedForm {
  std::string_view key;
  FormReader read;
};
constexpr std::array<NamedForm, 8> kForms = {{{"recommend", ReadRecommend},
                                              {"discover", ReadDiscover},
                                              {"context", ReadContext},
                                              {"order_by", ReadOrder},
                                              {"fusion", ReadFusion},
                                              {"rrf", ReadRankFusion},
                                              {"sample", ReadSample},
                                              {"relevance_feedback", ReadFeedback}}};

Status ReadStartFrom(JsonElement value, const FieldPath& path, OrderBy& out) {
  int64_t integer = 0;
  double number = 0;
  if (IsNull(value)) return OkStatus();
  if (value.is_string()) {
    std::string_view text;
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
    const std::optional<int64_t> moment = ParseDatetime(text);
    if (!moment) return FieldError(path, "expected a number or an RFC 3339 date and time");
    out.start_from = *moment;
    return OkStatus();
  }
  if (!value.get(integer)) {
    out.start_from = integer;
    return OkStatus();
  }
  AKIDB_RETURN_IF_ERROR(ReadDouble(value, path, number));
  out.start_from = number;
  return OkStatus();
}

}  // namespace

Status ReadQueryInput(JsonElement value, const FieldPath& path, QueryInput& out) {
  if (value.is_string() || value.is_number()) {
    return ReadPointId(value, path, out.emplace<PointId>());
  }
  VectorInput vector;
  AKIDB_RETURN_IF_ERROR(ReadVector(value, path, vector, TextRole::kQuery));
  std::visit([&](auto&& kind) { out = std::move(kind); }, std::move(vector));
  return OkStatus();
}

Status ReadQueryInputs(JsonElement value, const FieldPath& path, std::vector<QueryInput>& out) {
  if (IsNull(value)) return OkStatus();
  return ForEachElement(value, path, "an array of vectors, point ids or texts",
                        [&](JsonElement element, const FieldPath& at) {
                          return ReadQueryInput(element, at, out.emplace_back());
                        });
}

Status ReadContextPairs(JsonElement value, const FieldPath& path, std::vector<ContextPair>& out) {
  if (IsNull(value)) return OkStatus();
  if (value.is_array()) {
    return ForEachElement(value, path, "an array of pairs",
                          [&](JsonElement element, const FieldPath& at) {
                            AKIDB_RETURN_IF_ERROR(CheckObject(element, at, "a pair"));
                            return ReadContextPairs(element, at, out);
                          });
  }
  ContextPair& pair = out.emplace_back();
  int found = 0;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "a pair {\"positive\": …, \"negative\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "positive") {
                        found |= 1;
                        return ReadQueryInput(member, at, pair.positive);
                      }
                      if (key != "negative") return UnknownField(at, "`positive`, `negative`");
                      found |= 2;
                      return ReadQueryInput(member, at, pair.negative);
                    }));
  if ((found & 1) == 0) return MissingField(path, "positive");
  return (found & 2) == 0 ? MissingField(path, "negative") : OkStatus();
}

Status ReadRecommendStrategy(JsonElement value, const FieldPath& path, RecommendStrategy& out) {
  std::string_view name;
  if (IsNull(value)) return OkStatus();
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, name));
  if (name == "average_vector") {
    out = RecommendStrategy::kAverageVector;
  } else if (name == "best_score") {
    out = RecommendStrategy::kBestScore;
  } else if (name == "sum_scores") {
    out = RecommendStrategy::kSumScores;
  } else {
    return FieldError(path,
                      "unknown variant, expected `average_vector`, `best_score` or `sum_scores`");
  }
  return OkStatus();
}

Status ReadOrderBy(JsonElement value, const FieldPath& path, OrderBy& out) {
  std::string_view text;
  if (value.is_string()) {
    AKIDB_RETURN_IF_ERROR(ReadName(value, path, text));
    out.key = text;
    return OkStatus();
  }
  const Status read = ForEachMember(
      value, path, "a key or an object {\"key\": …, \"direction\": …, \"start_from\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key == "key") {
          AKIDB_RETURN_IF_ERROR(ReadName(member, at, text));
          out.key = text;
          return OkStatus();
        }
        if (key == "start_from") return ReadStartFrom(member, at, out);
        if (key != "direction") return UnknownField(at, "`key`, `direction`, `start_from`");
        if (IsNull(member)) return OkStatus();
        AKIDB_RETURN_IF_ERROR(ReadString(member, at, text));
        out.descending = text == "desc";
        if (text == "asc" || text == "desc") return OkStatus();
        return FieldError(at, "unknown variant, expected `asc` or `desc`");
      });
  AKIDB_RETURN_IF_ERROR(read);
  return out.key.empty() ? MissingField(path, "key") : OkStatus();
}

Status ReadQueryForm(JsonElement value, const FieldPath& path, QueryForm& out) {
  if (IsNull(value)) return OkStatus();
  if (!value.is_object() || IsInferenceObject(value)) return ReadNearest(value, path, out);
  JsonElement member;
  if (FindMember(value, "nearest", member)) return ReadNearestObject(value, path, out);
  for (const NamedForm& form : kForms) {
    if (!FindMember(value, form.key, member)) continue;
    simdjson::dom::object members;
    if (!value.get(members) && members.size() != 1) {
      return FieldError(path, "expected `" + std::string(form.key) + "` alone");
    }
    return form.read(member, path.Member(form.key), out);
  }
  if (FindMember(value, "formula", member)) return ReadFormula(value, path, out);
  if (FindMember(value, "text", member) && FindMember(member, "query", member)) {
    return ReadTextQuery(value, path, out);
  }
  for (std::string_view of_vector : {"indices", "values", "text"}) {
    if (FindMember(value, of_vector, member)) return ReadNearest(value, path, out);
  }
  return FieldError(path,
                    "expected a vector, a point id, {\"text\": …, \"model\": …} or an object that "
                    "names a kind of query");
}

}  // namespace akidb::rest
