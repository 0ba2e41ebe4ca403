// Answers to queries, and what they tell of their making beside the result.
#pragma once

#include <span>
#include <string>

#include "api/rest/api_call.h"
#include "types/query.h"

namespace akidb::rest {

// How the points of one query are wrapped: {"points": […]}, or the array alone, as the older
// operations do.
enum class PointsForm : unsigned char { kObject, kArray };

// What the headers ask for, where a body says nothing else.
QueryRequest AskedByHeaders(const ApiCall& call);

// `requests` are carried out; the answer to the first of them, or all answers as an array.
Result<std::string> AnswerQuery(const ApiCall& call, const QueryRequest& request, PointsForm form);
Result<std::string> AnswerQueryBatch(const ApiCall& call, std::span<const QueryRequest> requests,
                                     PointsForm form);
Result<std::string> AnswerQueryGroups(const ApiCall& call, const QueryGroupsRequest& request);

}  // namespace akidb::rest
