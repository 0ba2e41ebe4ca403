// What stands in the `result` of answers.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kServiceInfo;  // whole, without an envelope
extern const Shape kErrorAnswer;  // likewise
extern const Shape kUsage;        // beside a result

extern const Shape kUpdateResult;
extern const Shape kUpdateResults;
extern const Shape kCollectionList;
extern const Shape kCollectionExists;
extern const Shape kCollectionInfo;
extern const Shape kAliasList;
extern const Shape kOptimizations;
extern const Shape kMemoryReport;
extern const Shape kCollectionCluster;
extern const Shape kRecord;
extern const Shape kRecords;
extern const Shape kScrollResult;
extern const Shape kCountResult;
extern const Shape kScoredPoints;
extern const Shape kScoredPointLists;
extern const Shape kQueryResult;
extern const Shape kQueryResults;
extern const Shape kGroupsResult;
extern const Shape kFacetResult;
extern const Shape kPairsResult;
extern const Shape kOffsetsResult;
extern const Shape kClusterStatus;
extern const Shape kTelemetry;
extern const Shape kClusterTelemetry;
extern const Shape kIssues;
extern const Shape kQuotas;
extern const Shape kServerStatus;

}  // namespace akidb::rest
