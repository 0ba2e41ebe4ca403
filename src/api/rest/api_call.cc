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

namespace {

void WriteOperation(const ApiCall& call, const service::WriteReply& reply, JsonWriter& json) {
  json.BeginObject();
  json.Key("operation_id");
  json.Uint(reply.seq);
  json.Key("status");
  json.String(call.wait ? "completed" : "acknowledged");
  json.EndObject();
}

// What is beside the result. `last`: the write that was done last.
std::string FinishWrites(const ApiCall& call, const service::WriteReply& last, Envelope& envelope) {
  JsonWriter& json = envelope.Extras(call);
  envelope.Usage(last.usage);
  json.Key("akidb");
  json.BeginObject();
  json.Key("seq");
  json.Uint(last.seq);
  json.Key("durable");
  json.Bool(last.durable);
  if (last.truncated_texts > 0) {
    json.Key("truncated_texts");
    json.Uint(last.truncated_texts);
  }
  json.EndObject();
  return envelope.Finish();
}

}  // namespace

std::string WriteAnswer(const ApiCall& call, const service::WriteReply& reply) {
  Envelope envelope;
  WriteOperation(call, reply, envelope.result());
  return FinishWrites(call, reply, envelope);
}

std::string WriteAnswers(const ApiCall& call, const service::UpdateBatchReply& reply) {
  Envelope envelope;
  envelope.result().BeginArray();
  for (const service::WriteReply& one : reply.replies) {
    WriteOperation(call, one, envelope.result());
  }
  envelope.result().EndArray();
  service::WriteReply last;
  if (!reply.replies.empty()) last = reply.replies.back();
  last.usage = reply.usage;
  last.truncated_texts = reply.truncated_texts;
  return FinishWrites(call, last, envelope);
}

}  // namespace akidb::rest
