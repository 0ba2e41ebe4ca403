#include "api/rest/api_call.h"

namespace akidb::rest {

Result<std::string> GetRoot(const ApiCall& call) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("title");
  json.String(call.options.title);
  json.Key("version");
  json.String(call.options.version);
  json.Key("commit");
  json.String(call.options.commit);
  json.EndObject();
  return body;
}

// A server that listens is alive and ready: collections recover in the background, or when they are
// asked for before that.
Result<std::string> GetHealth(const ApiCall&) { return std::string("ready\n"); }

// One node, always.
Result<std::string> GetCluster(const ApiCall& call) {
  Envelope envelope;
  envelope.result().BeginObject();
  envelope.result().Key("status");
  envelope.result().String("disabled");
  envelope.result().EndObject();
  envelope.Extras(call);
  return envelope.Finish();
}

}  // namespace akidb::rest
