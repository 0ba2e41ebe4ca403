// How the server and its collections stand, in a form of our own.
#include <algorithm>
#include <vector>

#include "api/rest/api_call.h"
#include "api/rest/collection_state_json.h"

namespace akidb::rest {
namespace {

constexpr size_t kListedMax = 1000;

void WriteRecovery(const service::RecoveryReport& report, JsonWriter& json) {
  json.BeginObject();
  json.Key("phase");
  json.String(service::RecoveryPhaseName(report.phase));
  const std::pair<std::string_view, uint64_t> counts[] = {
      {"collections", report.collections}, {"looked_at", report.looked_at},
      {"recovered", report.recovered},     {"troubled", report.troubled},
      {"torn_logs", report.torn_logs},     {"torn_records", report.torn_records}};
  for (const auto& [name, count] : counts) {
    json.Key(name);
    json.Uint(count);
  }
  json.Key("seconds");
  json.Double(report.seconds);
  json.EndObject();
}

bool IsListed(const service::NamedState& one) {
  return one.state != service::CollectionState::kClosed &&
         one.state != service::CollectionState::kReady;
}

void WriteCollections(const std::vector<service::NamedState>& states, JsonWriter& json) {
  json.Key("collections");
  json.BeginObject();
  const auto counts = service::CountByState(states);
  for (size_t i = 0; i < counts.size(); ++i) {
    json.Key(service::CollectionStateName(service::kCollectionStates[i]));
    json.Uint(counts[i]);
  }
  json.EndObject();
  json.Key("not_ready");
  json.BeginArray();
  size_t total = 0;
  for (const service::NamedState& one : states) {
    if (!IsListed(one) || ++total > kListedMax) continue;
    json.BeginObject();
    json.Key("name");
    json.String(one.name);
    WriteState(one.state, one.reason, json);
    json.EndObject();
  }
  json.EndArray();
  json.Key("not_ready_total");
  json.Uint(total);
}

}  // namespace

Result<std::string> GetStatus(const ApiCall& call) {
  // Before the states, so that none that it counts as recovered stands there as closed.
  const service::RecoveryReport recovery = call.service.Recovery();
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginObject();
  json.Key("version");
  json.String(call.options.program_version);
  json.Key("dialect");
  json.String(call.options.version);
  json.Key("commit");
  json.String(call.options.commit);
  json.Key("uptime_s");
  json.Double(SecondsSince(call.options.started));
  json.Key("recovery");
  WriteRecovery(recovery, json);
  json.Key("system_trouble");
  json.String(call.service.SystemTrouble());
  WriteCollections(call.service.States(call.service.UsedCollections()), json);
  json.EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

}  // namespace akidb::rest
