// Bytes of an upsert body decoded a second, against the parser's own speed on the same body.
#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "api/rest/point_json.h"
#include "base/json_writer.h"

namespace akidb::rest {
namespace {

std::string MakeBody(int points, int dim) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> component(-0.2f, 0.2f);
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("points");
  json.BeginArray();
  for (int i = 0; i < points; ++i) {
    json.BeginObject();
    json.Key("id");
    json.Int(i);
    json.Key("vector");
    json.BeginArray();
    for (int j = 0; j < dim; ++j) json.Float(component(random));
    json.EndArray();
    json.Key("payload");
    json.Raw(R"({"title":"Chapter 7. Solving Problems","section":"7.1.2","position":17})");
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return body;
}

void ParseOnly(benchmark::State& state) {
  std::string body = MakeBody(1000, 384);
  for (auto _ : state) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(body).get(root)) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(root);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(ParseOnly)->Unit(benchmark::kMillisecond);

// What a program would need that wants nothing but the numbers of the vectors.
void OnDemandFloats(benchmark::State& state) {
  const std::string body = MakeBody(1000, 384);
  const simdjson::padded_string text(body);
  simdjson::ondemand::parser parser;
  std::vector<float> floats;
  for (auto _ : state) {
    floats.clear();
    simdjson::ondemand::document document = parser.iterate(text);
    for (simdjson::ondemand::object point : document["points"].get_array()) {
      for (double component : point["vector"].get_array()) {
        floats.push_back(static_cast<float>(component));
      }
    }
    benchmark::DoNotOptimize(floats.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(OnDemandFloats)->Unit(benchmark::kMillisecond);

void DecodeUpsertBody(benchmark::State& state) {
  std::string body = MakeBody(1000, 384);
  for (auto _ : state) {
    Result<UpsertRequest> request = DecodeUpsert(body);
    if (!request.ok()) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(request);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(DecodeUpsertBody)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace akidb::rest
