#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "embedding/manifest.h"

namespace akidb::embedding {
namespace {

// A manifest with every member; `Replaced` varies one place of it.
constexpr std::string_view kFull = R"json({
  "id": "tiny", "aliases": ["Org/Tiny"], "revision": "1", "licence": "MIT",
  "tokenizer": {"path": "tokenizer.json", "bytes": 10,
    "sha256": "0000000000000000000000000000000000000000000000000000000000000001",
    "append_ids": [7, 0], "specials_in_text": "plain"},
  "graph": {"path": "sub/model.onnx", "bytes": 20,
    "sha256": "0000000000000000000000000000000000000000000000000000000000000002",
    "source": "pypi:tiny==1.0#tiny/model.onnx",
    "inputs": {"ids": "ids", "m": "mask", "t": "token_types", "p": "positions"}, "output": "out"},
  "batch": "one", "memory_bytes": 123456789,
  "prompts": {"query": "Instruct: {instruction}\nQuery:", "document": "",
    "default_instruction": "find"},
  "max_tokens": 64, "pooling": "last", "dims": {"native": 16, "offered": [8, 12]},
  "golden": [{"type": "query", "text": "x", "head": [1, 0, 0, 0, 0, 0, 0, 0.5], "min_cosine": 0.99}]
})json";

std::string Replaced(std::string_view from, std::string_view to) {
  std::string json(kFull);
  const size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return json.replace(at, from.size(), to);
}

TEST(ManifestJson, ReadsEveryMember) {
  Result<Manifest> manifest = ParseManifest(kFull);
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->id, "tiny");
  EXPECT_EQ(manifest->graph.file.path, "sub/model.onnx");
  EXPECT_EQ(manifest->graph.file.bytes, 20u);
  EXPECT_EQ(manifest->graph.inputs.size(), 4u);
  EXPECT_EQ(manifest->graph.output.name, "out");
  EXPECT_EQ(manifest->default_instruction, "find");
  EXPECT_EQ(manifest->append_ids, (std::vector<int32_t>{7, 0}));
  EXPECT_EQ(manifest->tokenizer_options.specials_in_text, SpecialsInText::kPlain);
  EXPECT_TRUE(manifest->one_text_a_run);
  EXPECT_EQ(MemoryBytes(*manifest), 123456789u);
  EXPECT_EQ(manifest->max_tokens, 64u);
  EXPECT_EQ(manifest->pooling, Pooling::kLast);
  EXPECT_EQ(manifest->dims_offered, (std::vector<uint32_t>{8, 12}));
  EXPECT_EQ(manifest->golden[0].head.size(), 8u);
}

// What kFull's graph lacks.
constexpr std::string_view kServing = R"("output": "out", "output_type": "uint8",
    "dequantize": {"scale": 0.25, "zero_point": 128},
    "empty_kv": {"layers": 2, "heads": 4, "head_dim": 16, "key": "past.{layer}.key",
      "value": "past.{layer}.value", "type": "float16"})";

std::string Serving(std::string_view from, std::string_view to) {
  std::string members(kServing);
  const size_t at = members.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return Replaced(R"("output": "out")", members.replace(at, from.size(), to));
}

TEST(ManifestJson, ReadsHowAGraphIsServed) {
  Result<Manifest> manifest = ParseManifest(Serving("", ""));
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->graph.output.type, ElementType::kUint8);
  EXPECT_EQ(manifest->graph.output.dequantization.scale, 0.25f);
  EXPECT_EQ(manifest->graph.output.dequantization.zero_point, 128.0f);
  EXPECT_EQ(manifest->graph.empty_kv.names,
            (std::vector<std::string>{"past.0.key", "past.1.key", "past.0.value", "past.1.value"}));
  EXPECT_EQ(manifest->graph.empty_kv.heads, 4u);
  EXPECT_EQ(manifest->graph.empty_kv.head_dim, 16u);
  EXPECT_EQ(manifest->graph.empty_kv.type, ElementType::kFloat16);
  manifest = ParseManifest(kFull);
  EXPECT_EQ(manifest->graph.output.type, ElementType::kFloat32);
  EXPECT_TRUE(manifest->graph.empty_kv.names.empty());
}

TEST(ManifestJson, RefusesAGraphThatCannotBeServed) {
  const std::tuple<const char*, const char*, const char*> flaws[] = {
      {"\"uint8\"", "\"int64\"", "graph.output_type"},
      {"\"uint8\"", "\"double\"", "graph.output_type"},
      {"\"uint8\"", "\"float16\"", "graph.dequantize"},
      {"\"dequantize\"", "\"dequantise\"", "graph.dequantize"},
      {"0.25", "0", "graph.dequantize.scale"},
      {"0.25", "\"x\"", "graph.dequantize.scale"},
      {"128}", "256}", "graph.dequantize.zero_point"},
      {"128}", "128, \"more\": 1}", "graph.dequantize.more"},
      {"past.{layer}.key", "past.key", "graph.empty_kv.key"},
      {"past.{layer}.key", "past.{layer}.value", "graph.empty_kv.value"},
      {"\"layers\": 2", "\"layers\": 0", "graph.empty_kv.layers"},
      {"\"layers\": 2", "\"layers\": 5000", "graph.empty_kv.layers"},
      {"\"heads\": 4, ", "", "graph.empty_kv.heads"},
      {"\"float16\"", "\"uint8\"", "graph.empty_kv.type"},
  };
  for (const auto& [from, to, field] : flaws) {
    Status status = ParseManifest(Serving(from, to)).status();
    EXPECT_EQ(status.code(), ErrorCode::kValidation) << to;
    EXPECT_NE(status.message().find("`" + std::string(field) + "`"), std::string_view::npos)
        << status.message();
  }
}

// Two graphs beside the first, and weights beside one of them.
std::string WithVariants() {
  const std::string file = R"("sha256": ")" + std::string(64, '0') + R"(", "bytes": 5)";
  const std::string graph = R"("inputs": {"i": "ids"}, "output": "o")";
  return Replaced(R"("max_tokens": 64)",
                  R"("variants": [
      {"name": "fp8", "precision": "fp8", "providers": ["tensorrt"], "compute_capability": "8.9",
       "options": {"trt_builder_optimization_level": "5"},
       "graph": {"path": "sub/fp8.onnx", )" +
                      file + ", " + graph + R"(, "pooled": true,
         "external": [{"path": "sub/fp8.onnx_data", )" +
                      file + R"(}]}},
      {"name": "bf16", "providers": ["cuda", "tensorrt"],
       "graph": {"path": "bf16.onnx", )" +
                      file + ", " + graph + R"(}}],
    "engine_profile": {"items_max": 16, "items_typical": 2, "tokens_typical": 40},
    "max_tokens": 64)");
}

TEST(ManifestJson, ReadsVariants) {
  Result<Manifest> manifest = ParseManifest(WithVariants());
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  ASSERT_EQ(manifest->variants.size(), 2u);
  const Variant& fp8 = manifest->variants[0];
  EXPECT_EQ(fp8.name, "fp8");
  EXPECT_EQ(fp8.precision, "fp8");
  EXPECT_EQ(fp8.providers, std::vector{Provider::kTensorRt});
  EXPECT_EQ(fp8.compute_capability, "8.9");
  EXPECT_EQ(fp8.options.at("trt_builder_optimization_level"), "5");
  EXPECT_TRUE(fp8.graph.pooled);
  ASSERT_EQ(fp8.graph.external.size(), 1u);
  EXPECT_EQ(fp8.graph.external[0].path, "sub/fp8.onnx_data");
  EXPECT_EQ(manifest->variants[1].providers, (std::vector{Provider::kCuda, Provider::kTensorRt}));
  EXPECT_EQ(manifest->engine_profile.items_max, 16u);
  EXPECT_EQ(manifest->engine_profile.tokens_typical, 40u);
}

// A collection stays open to a model that has got a variant more.
TEST(ManifestJson, VariantsDoNotCountInTheFingerprint) {
  EXPECT_EQ(Fingerprint(*ParseManifest(WithVariants())), Fingerprint(*ParseManifest(kFull)));
}

TEST(ManifestJson, RefusesWrongVariantsByName) {
  for (auto [from, to, field] :
       {std::tuple{"sub/fp8.onnx_data", "sub/fp8.onnx", "variants[0].graph.external[0].path"},
        {"[\"tensorrt\"]", "[\"cpu\"]", "variants[0].options"},
        {"\"bf16\"", "\"fp8\"", "variants[1].name"},
        {"[\"tensorrt\"]", "[\"rocm\"]", "variants[0].providers"},
        {"[\"tensorrt\"]", "[]", "variants[0].providers"},
        {"\"8.9\"", "\"sm_89\"", "variants[0].compute_capability"},
        {"\"5\"}", "5}", "variants[0].options.trt_builder_optimization_level"},
        {"sub/fp8.onnx_data", "other/fp8.onnx_data", "variants[0].graph.external[0].path"},
        {"sub/fp8.onnx_data", "../fp8.onnx_data", "variants[0].graph.external[0].path"},
        {"\"pooled\": true", "\"pooled\": 1", "variants[0].graph.pooled"},
        {"\"items_typical\": 2", "\"items_typical\": 17", "engine_profile.items_typical"},
        {"\"tokens_typical\": 40", "\"tokens_typical\": 65", "engine_profile.tokens_typical"}}) {
    std::string json = WithVariants();
    const size_t at = json.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    Status status = ParseManifest(json.replace(at, std::string_view(from).size(), to)).status();
    EXPECT_EQ(status.code(), ErrorCode::kValidation) << to;
    EXPECT_NE(status.message().find("`" + std::string(field) + "`"), std::string_view::npos)
        << status.message();
  }
}

TEST(ManifestJson, RefusesAnExternalFileGivenTwice) {
  std::string json = WithVariants();
  const size_t at = json.find("{\"path\": \"sub/fp8.onnx_data\"");
  const std::string file = json.substr(at, json.find('}', at) + 1 - at);
  Status status = ParseManifest(json.insert(at, file + ", ")).status();
  EXPECT_EQ(status.code(), ErrorCode::kValidation);
  EXPECT_NE(status.message().find("`variants[0].graph.external[1].path`"), std::string_view::npos)
      << status.message();
}

TEST(ManifestJson, RefusesAGoldenTextWithoutADirection) {
  Status status =
      ParseManifest(Replaced("[1, 0, 0, 0, 0, 0, 0, 0.5]", "[0, 0, 0, 0, 0, -0.0, 0, 0]")).status();
  EXPECT_EQ(status.code(), ErrorCode::kValidation);
  EXPECT_NE(status.message().find("has no direction"), std::string_view::npos) << status.message();
}

TEST(ManifestJson, BuiltInOnesAreValid) {
  for (std::string_view json : BuiltInManifests()) {
    Result<Manifest> manifest = ParseManifest(json);
    ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  }
}

TEST(ManifestJson, NamesCompareWithoutCase) {
  Result<Manifest> manifest = ParseManifest(kFull);
  ASSERT_TRUE(manifest.ok());
  EXPECT_TRUE(HasName(*manifest, "TINY"));
  EXPECT_TRUE(HasName(*manifest, "org/tiny"));
  EXPECT_FALSE(HasName(*manifest, "tin"));
}

TEST(ManifestJson, RefusesWhatIsNotJson) {
  EXPECT_EQ(ParseManifest("{").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(ParseManifest("").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(ParseManifest("[]").status().code(), ErrorCode::kValidation);
}

struct Flaw {
  std::string_view from;
  std::string_view to;
  std::string_view field;  // that the message must name
};

class ManifestFlaw : public testing::TestWithParam<Flaw> {};

TEST_P(ManifestFlaw, IsRefusedByName) {
  const Flaw& flaw = GetParam();
  Status status = ParseManifest(Replaced(flaw.from, flaw.to)).status();
  EXPECT_EQ(status.code(), ErrorCode::kValidation) << status.ToString();
  EXPECT_NE(status.message().find("`" + std::string(flaw.field) + "`"), std::string_view::npos)
      << status.message();
}

constexpr Flaw kFlaws[] = {
    Flaw{R"("id": "tiny")", R"("id": "../x")", "id"},
    Flaw{R"("id": "tiny")", R"("id": "Tiny")", "id"},
    Flaw{R"("id": "tiny")", R"("id": 1)", "id"},
    Flaw{R"("id": "tiny",)", "", "id"},
    Flaw{R"("licence")", R"("license")", "licence"},
    Flaw{R"("max_tokens": 64)", R"("max_tokens": 64, "extra": 1)", "extra"},
    Flaw{R"("max_tokens": 64)", R"("max_tokens": 64, "max_tokens": 65)", "max_tokens"},
    Flaw{R"("max_tokens": 64)", R"("max_tokens": 0)", "max_tokens"},
    Flaw{R"("max_tokens": 64)", R"("max_tokens": -1)", "max_tokens"},
    Flaw{R"("sub/model.onnx")", R"("../model.onnx")", "graph.path"},
    Flaw{R"("sub/model.onnx")", R"("/etc/passwd")", "graph.path"},
    Flaw{R"("sub/model.onnx")", R"("sub/../../x")", "graph.path"},
    Flaw{R"("sub/model.onnx")", R"("sub//x")", "graph.path"},
    Flaw{R"("sub/model.onnx")", R"("a\\b")", "graph.path"},
    Flaw{R"(0002")", R"(000")", "graph.sha256"},
    Flaw{R"(0002")", R"(000A")", "graph.sha256"},
    Flaw{R"("ids": "ids", )", "", "graph.inputs"},
    Flaw{R"("m": "mask")", R"("m": "ids")", "graph.inputs"},
    Flaw{R"("m": "mask")", R"("m": "other")", "graph.inputs.m"},
    Flaw{R"("output": "out")", R"("output": "")", "graph.output"},
    Flaw{R"({instruction})", "", "prompts.default_instruction"},
    Flaw{R"([7, 0])", R"([])", "tokenizer.append_ids"},
    Flaw{R"([7, 0])", R"([-1])", "tokenizer.append_ids"},
    Flaw{R"([7, 0])", R"([2147483648])", "tokenizer.append_ids"},
    Flaw{R"([7, 0])", R"(7)", "tokenizer.append_ids"},
    Flaw{R"([7, 0])", R"([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17])", "tokenizer.append_ids"},
    Flaw{R"("plain")", R"("raw")", "tokenizer.specials_in_text"},
    Flaw{R"("batch": "one")", R"("batch": 1)", "batch"},
    Flaw{R"("batch": "one")", R"("batch": "two")", "batch"},
    Flaw{R"("pooling": "last")", R"("pooling": "max")", "pooling"},
    Flaw{R"([8, 12])", R"([12, 8])", "dims.offered"},
    Flaw{R"([8, 12])", R"([16])", "dims.offered"},
    Flaw{R"("native": 16)", R"("native": 70000)", "dims.native"},
    Flaw{R"([1, 0, 0, 0, 0, 0, 0, 0.5])", R"([1])", "golden[0].head"},
    Flaw{R"([1, 0, 0, 0, 0, 0, 0, 0.5])", R"([1, 0, 0, 0, 0, 0, 0, 5])", "golden[0].head"},
    Flaw{R"("min_cosine": 0.99)", R"("min_cosine": 0.5)", "golden[0].min_cosine"},
    Flaw{R"("type": "query")", R"("type": "other")", "golden[0].type"}};

INSTANTIATE_TEST_SUITE_P(All, ManifestFlaw, testing::ValuesIn(kFlaws));

constexpr char kImage[] = R"("max_tokens": 64, "image": {"path": "image.onnx",
  "sha256": "0000000000000000000000000000000000000000000000000000000000000003", "bytes": 9,
  "input": "pixel_values", "output": "image_embeds", "size": 224, "fit": "crop",
  "mean": [0.5, 0.25, 0], "deviation": [0.25, 0.5, 1]})";

std::string WithImage(std::string_view from, std::string_view to) {
  std::string image = kImage;
  if (!from.empty()) image.replace(image.find(from), from.size(), to);
  return Replaced(R"("max_tokens": 64)", image);
}

TEST(ParseManifest, AnImageSide) {
  const Manifest manifest = *ParseManifest(WithImage("", ""));
  ASSERT_TRUE(manifest.image.has_value());
  EXPECT_EQ(manifest.image->file.path, "image.onnx");
  EXPECT_EQ(manifest.image->input, "pixel_values");
  EXPECT_EQ(manifest.image->size, 224u);
  EXPECT_TRUE(manifest.image->crops);
  EXPECT_EQ(manifest.image->mean, (std::array<float, 3>{0.5f, 0.25f, 0}));
  EXPECT_FALSE(ParseManifest(WithImage("crop", "stretch"))->image->crops);
  // Texts' vectors don't depend on it.
  EXPECT_EQ(Fingerprint(manifest), Fingerprint(*ParseManifest(kFull)));
}

TEST(ParseManifest, AFlawedImageSideIsRefusedByName) {
  for (const Flaw& flaw : {Flaw{"\"image.onnx\"", "\"../image.onnx\"", "image.path"},
                           Flaw{"224", "5000", "image.size"}, Flaw{"crop", "pad", "image.fit"},
                           Flaw{"0.5, 0.25, 0]", "0.5, 0.25]", "image.mean"},
                           Flaw{"0.5, 0.25, 0]", "0.5, 0.25, 0, 0]", "image.mean"},
                           Flaw{"[0.25, 0.5, 1]", "[0, 0.5, 1]", "image.deviation"},
                           Flaw{"\"pixel_values\"", "\"\"", "image.input"},
                           Flaw{"\"fit\"", "\"fits\"", "image.fit"}}) {
    Status status = ParseManifest(WithImage(flaw.from, flaw.to)).status();
    EXPECT_EQ(status.code(), ErrorCode::kValidation) << status.ToString();
    EXPECT_NE(status.message().find("`" + std::string(flaw.field) + "`"), std::string_view::npos)
        << status.message();
  }
}

TEST(Fingerprint, ChangesWithHowBytesAreRead) {
  const std::string base = Fingerprint(*ParseManifest(Serving("", "")));
  EXPECT_NE(base, Fingerprint(*ParseManifest(kFull)));
  EXPECT_NE(base, Fingerprint(*ParseManifest(Serving("128}", "127}"))));
  EXPECT_NE(base, Fingerprint(*ParseManifest(Serving("uint8", "int8"))));
}

TEST(Fingerprint, ChangesWithWhatVectorsDependOn) {
  const std::string base = Fingerprint(*ParseManifest(kFull));
  EXPECT_EQ(base, Fingerprint(*ParseManifest(Replaced("Org/Tiny", "Other"))));
  EXPECT_EQ(base.substr(0, 5), "tiny@");
  for (auto [from, to] : {std::pair{"\"revision\": \"1\"", "\"revision\": \"2\""},
                          {"Query:", "Query: "},
                          {"0002\"", "0003\""},
                          {"[7, 0]", "[7]"},
                          {"\"plain\"", "\"match\""},
                          {"\"last\"", "\"cls\""},
                          {"\"max_tokens\": 64", "\"max_tokens\": 65"}}) {
    EXPECT_NE(base, Fingerprint(*ParseManifest(Replaced(from, to)))) << from;
  }
}

// Collections hold it: what a manifest doesn't use must not change it.
TEST(Fingerprint, OfTheDefaultModelStaysWhatItIs) {
  const std::string fingerprint = Fingerprint(*ParseManifest(BuiltInManifests()[0]));
  EXPECT_EQ(fingerprint, "all-minilm-l6-v2@ca0d56cdede98eaf");
}

}  // namespace
}  // namespace akidb::embedding
