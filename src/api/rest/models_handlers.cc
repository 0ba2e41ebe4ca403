// The models: which there are and how far each is, in OpenAI's form, and to load and unload them.
#include <string_view>

#include "api/rest/api_call.h"

namespace akidb::rest {
namespace {

std::string_view NameOf(service::ModelState state) {
  switch (state) {
    case service::ModelState::kAbsent:
      return "absent";
    case service::ModelState::kInstalled:
      return "installed";
    case service::ModelState::kLoading:
      return "loading";
    case service::ModelState::kReady:
      return "ready";
    case service::ModelState::kFailed:
      return "failed";
    case service::ModelState::kDraining:
      return "draining";
  }
  return "unknown";
}

std::string_view NameOf(service::LoadPhase phase) {
  switch (phase) {
    case service::LoadPhase::kWaiting:
      return "waiting";
    case service::LoadPhase::kVerifying:
      return "verifying";
    case service::LoadPhase::kBuilding:
      return "building";
    case service::LoadPhase::kProving:
      return "proving";
  }
  return "unknown";
}

void WriteLoading(const service::ModelInfo& model, JsonWriter& json) {
  json.Key("loading");
  json.BeginObject();
  json.Key("phase");
  json.String(NameOf(model.loading->phase));
  json.Key("verified_bytes");
  json.Uint(model.loading->verified_bytes);
  json.Key("bytes");
  json.Uint(model.graph_bytes);
  json.Key("seconds");
  json.Double(model.loading->seconds);
  json.EndObject();
}

// Of a loaded model.
void WriteProviders(const service::ModelInfo& model, JsonWriter& json) {
  json.Key("providers");
  json.BeginArray();
  for (const auto& provider : model.providers) {
    json.BeginObject();
    json.Key("provider");
    json.String(NamesOf(provider.provider).runtime);
    if (!provider.variant.empty()) {
      json.Key("variant");
      json.String(provider.variant);
    }
    json.Key("state");
    json.String(NameOf(provider.state));
    json.Key("serves");
    json.Bool(provider.serves);
    json.Key("failures");
    json.Uint(provider.failures);
    if (!provider.nodes.empty()) {
      json.Key("nodes");
      json.BeginObject();
      for (const auto& [name, nodes] : provider.nodes) {
        json.Key(name);
        json.Uint(nodes);
      }
      json.EndObject();
    }
    if (!provider.reason.empty()) {
      json.Key("reason");
      json.String(provider.reason);
    }
    if (provider.retry_in_s > 0) {
      json.Key("retry_in_seconds");
      json.Double(provider.retry_in_s);
    }
    json.EndObject();
  }
  json.EndArray();
  json.Key("degraded");
  json.Bool(IsDegraded(model.providers));
}

// What OpenAI's form has no place for.
void WriteOwn(const service::ModelInfo& model, JsonWriter& json) {
  json.BeginObject();
  json.Key("aliases");
  json.BeginArray();
  for (const std::string& alias : model.aliases) json.String(alias);
  json.EndArray();
  json.Key("dimensions");
  json.Uint(model.dims);
  json.Key("max_tokens");
  json.Uint(model.max_tokens);
  json.Key("state");
  json.String(NameOf(model.state));
  if (!model.state_reason.empty()) {
    json.Key("state_reason");
    json.String(model.state_reason);
  }
  if (model.failed_seconds_ago) {
    json.Key("failed_seconds_ago");
    json.Double(*model.failed_seconds_ago);
  }
  if (model.loading) WriteLoading(model, json);
  json.Key("requests");
  json.Uint(model.requests);
  json.Key("memory_bytes");
  json.Uint(model.memory_bytes);
  json.Key("pinned");
  json.Bool(model.pinned);
  json.Key("default");
  json.Bool(model.is_default);
  if (!model.providers.empty()) WriteProviders(model, json);
  json.EndObject();
}

void WriteModel(const service::ModelInfo& model, JsonWriter& json) {
  json.BeginObject();
  json.Key("id");
  json.String(model.id);
  json.Key("object");
  json.String("model");
  json.Key("created");
  json.Uint(0);
  json.Key("owned_by");
  json.String("akidb");
  json.Key("akidb");
  WriteOwn(model, json);
  json.EndObject();
}

std::string ModelAnswer(const ApiCall& call, const service::ModelInfo& model) {
  Envelope envelope;
  WriteModel(model, envelope.result());
  envelope.Extras(call);
  return envelope.Finish();
}

}  // namespace

// A model that is only described, and that nobody counts on, is none that could be asked.
Result<std::string> ListModels(const ApiCall& call) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("object");
  json.String("list");
  json.Key("data");
  json.BeginArray();
  for (const service::ModelInfo& model : call.service.ModelsToServe()) WriteModel(model, json);
  json.EndArray();
  json.EndObject();
  return body;
}

Result<std::string> LoadModel(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(const service::ModelInfo model,
                         call.service.LoadModel(call.context, call.point));
  return ModelAnswer(call, model);
}

Result<std::string> UnloadModel(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(const service::ModelInfo model,
                         call.service.UnloadModel(call.context, call.point));
  return ModelAnswer(call, model);
}

}  // namespace akidb::rest
