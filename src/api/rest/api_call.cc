#include "api/rest/api_call.h"

namespace akidb::rest {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Envelope::Envelope() : json_(text_) {
  json_.BeginObject();
  json_.Key("result");
}

JsonWriter& Envelope::Extras(const ApiCall& call) {
  json_.Key("status");
  json_.String("ok");
  json_.Key("time");
  json_.Double(SecondsSince(call.start));
  return json_;
}

void Envelope::Usage(const service::InferenceUsage& usage) {
  if (usage.empty()) return;
  json_.Key("usage");
  json_.BeginObject();
  json_.Key("inference");
  json_.BeginObject();
  json_.Key("models");
  json_.BeginObject();
  for (const auto& [model, tokens] : usage) {
    json_.Key(model);
    json_.BeginObject();
    json_.Key("tokens");
    json_.Uint(tokens);
    json_.EndObject();
  }
  json_.EndObject();
  json_.EndObject();
  json_.EndObject();
}

std::string Envelope::Finish() {
  json_.EndObject();
  return std::move(text_);
}

}  // namespace akidb::rest
