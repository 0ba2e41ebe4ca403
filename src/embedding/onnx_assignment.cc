#include "embedding/onnx_assignment.h"

#include <algorithm>
#include <string_view>

namespace akidb::embedding {

Status RecordAssignment(const OrtFunctions& ort, OrtSessionOptions* options) {
  if (ort.Session_GetEpGraphAssignmentInfo == nullptr) return OkStatus();
  AKIDB_ORT_RETURN_IF_ERROR(
      ort, ort.AddSessionConfigEntry(options, "session.record_ep_graph_assignment_info", "1"),
      RunFailed);
  return OkStatus();
}

std::vector<NodeCount> CountNodes(const OrtFunctions& ort, const OrtSession* session) {
  if (ort.Session_GetEpGraphAssignmentInfo == nullptr) return {};
  const OrtEpAssignedSubgraph* const* parts = nullptr;
  size_t part_count = 0;
  if (TakeError(ort, ort.Session_GetEpGraphAssignmentInfo(session, &parts, &part_count))) return {};
  std::vector<NodeCount> counts;
  for (size_t i = 0; i < part_count; ++i) {
    const char* name = nullptr;
    const OrtEpAssignedNode* const* nodes = nullptr;
    size_t count = 0;
    if (TakeError(ort, ort.EpAssignedSubgraph_GetEpName(parts[i], &name)) ||
        TakeError(ort, ort.EpAssignedSubgraph_GetNodes(parts[i], &nodes, &count))) {
      return {};
    }
    const auto known = std::find_if(counts.begin(), counts.end(), [&](const NodeCount& other) {
      return other.provider == std::string_view(name);
    });
    NodeCount& of = known != counts.end() ? *known : counts.emplace_back();
    of.provider = name;
    of.nodes += count;
  }
  return counts;
}

}  // namespace akidb::embedding
