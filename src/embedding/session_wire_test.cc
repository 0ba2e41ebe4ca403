#include "embedding/session_wire.h"

#include <cstdio>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

// Every member differs from its default and from the others.
OpenRequest FullRequest() {
  OpenRequest request;
  request.libraries = {"/opt/lib/a.so", ""};
  SessionRequest& session = request.session;
  session.model_id = "model";
  session.folder = "/models/model";
  session.graph = {"model.onnx", std::string(64, 'a'), uint64_t{5} << 40, "pypi:a==1#m"};
  session.external = {{"weights", std::string(64, 'b'), 7, ""}, {"more", "c", 8, "maven:x"}};
  session.can_pull = true;
  SessionSpec& spec = session.spec;
  spec.inputs = {{"input_ids", InputKind::kIds},
                 {"attention_mask", InputKind::kMask},
                 {"types", InputKind::kTokenTypes},
                 {"position_ids", InputKind::kPositions}};
  spec.empty_kv = {{"past.0.key", "past.0.value"}, 8, 128, ElementType::kBfloat16};
  spec.output = {"states", ElementType::kUint8, {0.25F, 127.5F}};
  spec.pooled_in_graph = true;
  spec.width = 1024;
  spec.threads = 3;
  spec.provider = Provider::kCuda;
  spec.options = {{"device_id", "1"}, {"arena_extend_strategy", "kSameAsRequested"}, {"z", ""}};
  return request;
}

GpuFacts FullFacts() {
  return {"560.1",
          "13.0",
          "none",
          {{"A", "8.9", uint64_t{1} << 35, true}, {"B", "11.0", 7, false}},
          "10.16.2"};
}

std::vector<SessionMessage> AllMessages() {
  return {
      FullRequest(),
      LoadReport{LoadPhase::kProving, uint64_t{3} << 33},
      OpenReport{},
      OpenReport{CorruptionError("other checksum"), {}, 0},
      OpenReport{
          OkStatus(), {{"CUDAExecutionProvider", uint64_t{1} << 40}, {"x", 1}}, uint64_t{5} << 33},
      OpenLane{77},
      CancelRun{78, uint64_t{1} << 40},
      RunRequest{uint64_t{1} << 41, 12, 256},
      RunReport{uint64_t{1} << 42, {}, uint64_t{7} << 33, uint64_t{5} << 35},
      RunReport{9, Status(ErrorCode::kInternal, ""), 0},
      ReleaseMemory{},
      ReturnMemory{},
      LookRequest{},
      LookReport{FullFacts()}};
}

void ExpectSameFile(const ModelFile& a, const ModelFile& b) {
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.sha256, b.sha256);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.source, b.source);
}

TEST(SessionWire, CarriesEveryMemberOfARequest) {
  const OpenRequest sent = FullRequest();
  const std::optional<SessionMessage> message = DecodeMessage(EncodeMessage(sent));
  ASSERT_TRUE(message.has_value());
  const auto& got = std::get<OpenRequest>(*message);
  EXPECT_EQ(got.libraries, sent.libraries);
  EXPECT_EQ(got.session.model_id, sent.session.model_id);
  EXPECT_EQ(got.session.folder, sent.session.folder);
  ExpectSameFile(got.session.graph, sent.session.graph);
  ASSERT_EQ(got.session.external.size(), 2u);
  for (size_t i : {0, 1}) ExpectSameFile(got.session.external[i], sent.session.external[i]);
  EXPECT_EQ(got.session.can_pull, sent.session.can_pull);
  const SessionSpec& spec = got.session.spec;
  ASSERT_EQ(spec.inputs.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(spec.inputs[i].name, sent.session.spec.inputs[i].name);
    EXPECT_EQ(spec.inputs[i].kind, sent.session.spec.inputs[i].kind);
  }
  EXPECT_EQ(spec.empty_kv.names, sent.session.spec.empty_kv.names);
  EXPECT_EQ(spec.empty_kv.heads, 8u);
  EXPECT_EQ(spec.empty_kv.head_dim, 128u);
  EXPECT_EQ(spec.empty_kv.type, ElementType::kBfloat16);
  EXPECT_EQ(spec.output.name, "states");
  EXPECT_EQ(spec.output.type, ElementType::kUint8);
  EXPECT_EQ(spec.output.dequantization.scale, 0.25F);
  EXPECT_EQ(spec.output.dequantization.zero_point, 127.5F);
  EXPECT_TRUE(spec.pooled_in_graph);
  EXPECT_EQ(spec.width, 1024u);
  EXPECT_EQ(spec.threads, 3);
  EXPECT_EQ(spec.provider, Provider::kCuda);
  EXPECT_EQ(spec.options, sent.session.spec.options);
}

TEST(SessionWire, CarriesEveryMemberOfGpuFacts) {
  const auto report = std::get<LookReport>(*DecodeMessage(EncodeMessage(LookReport{FullFacts()})));
  const GpuFacts& facts = report.gpu;
  EXPECT_EQ(facts.kernel_driver, "560.1");
  EXPECT_EQ(facts.cuda_version, "13.0");
  EXPECT_EQ(facts.cuda_problem, "none");
  EXPECT_EQ(facts.tensorrt_version, "10.16.2");
  ASSERT_EQ(facts.devices.size(), 2u);
  EXPECT_EQ(facts.devices[0].name, "A");
  EXPECT_EQ(facts.devices[0].compute_capability, "8.9");
  EXPECT_EQ(facts.devices[0].memory_bytes, uint64_t{1} << 35);
  EXPECT_TRUE(facts.devices[0].integrated);
  EXPECT_FALSE(facts.devices[1].integrated);
}

TEST(SessionWire, ReadsWhatItWrites) {
  for (const SessionMessage& message : AllMessages()) {
    const std::vector<std::byte> bytes = EncodeMessage(message);
    const std::optional<SessionMessage> read = DecodeMessage(bytes);
    ASSERT_TRUE(read.has_value()) << message.index();
    EXPECT_EQ(read->index(), message.index());
    EXPECT_EQ(EncodeMessage(*read), bytes) << message.index();
  }
  const auto cancel = std::get<CancelRun>(*DecodeMessage(EncodeMessage(CancelRun{3, 4})));
  EXPECT_EQ(cancel.lane, 3u);
  EXPECT_EQ(cancel.run, 4u);
}

TEST(SessionWire, CutsLongReasons) {
  const auto report = std::get<RunReport>(
      *DecodeMessage(EncodeMessage(RunReport{1, InternalError(std::string(1u << 20, 'x'))})));
  EXPECT_EQ(report.status.message(), std::string(32u << 10, 'x'));
}

TEST(SessionWire, RefusesWhatIsCutOrLonger) {
  for (const SessionMessage& message : AllMessages()) {
    std::vector<std::byte> bytes = EncodeMessage(message);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodeMessage(std::span(bytes).first(size)).has_value());
    }
    bytes.push_back({});
    EXPECT_FALSE(DecodeMessage(bytes).has_value());
  }
}

TEST(SessionWire, SurvivesGarbage) {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("AKIDB_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const std::vector<SessionMessage> messages = AllMessages();
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes = EncodeMessage(messages[random() % messages.size()]);
    for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    const std::optional<SessionMessage> read = DecodeMessage(bytes);
    if (read) EXPECT_EQ(DecodeMessage(EncodeMessage(*read))->index(), read->index());
  }
}

TEST(LaneLayout, GivesEveryPartItsPlace) {
  SessionSpec spec;
  spec.width = 5;
  for (bool pooled : {false, true}) {
    spec.pooled_in_graph = pooled;
    const std::optional<LaneLayout> layout = LaneLayout::Of(spec, 2, 3);
    ASSERT_TRUE(layout.has_value());
    std::vector<float> aligned(layout->bytes() / sizeof(float) + 1);
    const std::span<std::byte> memory = std::as_writable_bytes(std::span(aligned));
    const TokenBatch batch = {2, 3, {1, 2, 3, 4, 5, 0}, {1, 1, 1, 1, 1, 0}, {3, 2}};
    layout->Write(batch, memory);
    const std::span<float> states = layout->States(memory);
    EXPECT_EQ(states.size(), pooled ? 10u : 30u);
    std::fill(states.begin(), states.end(), 1.5F);
    const TokenBatch read = layout->Read(memory);
    EXPECT_EQ(read.items, 2u);
    EXPECT_EQ(read.tokens, 3u);
    EXPECT_EQ(read.ids, batch.ids);
    EXPECT_EQ(read.mask, batch.mask);
    EXPECT_EQ(read.lengths, batch.lengths);
  }
}

TEST(LaneLayout, RefusesSizesBeyondItsBound) {
  SessionSpec spec;
  spec.width = 4096;
  EXPECT_TRUE(LaneLayout::Of(spec, 1, 32'768).has_value());
  const uint64_t huge = ~uint64_t{0};
  for (auto [items, tokens] : {std::pair<uint64_t, uint64_t>{0, 1},
                               {1, 0},
                               {huge, 1},
                               {1, huge},
                               {huge, huge},
                               {1u << 16, 1u << 16},
                               {1, uint64_t{1} << 20}}) {
    EXPECT_FALSE(LaneLayout::Of(spec, items, tokens).has_value()) << items << " x " << tokens;
  }
  spec.width = 0;
  EXPECT_FALSE(LaneLayout::Of(spec, 1, 1).has_value());
  spec.width = ~0u;
  EXPECT_FALSE(LaneLayout::Of(spec, 1, 1).has_value());
}

}  // namespace
}  // namespace akidb::embedding
