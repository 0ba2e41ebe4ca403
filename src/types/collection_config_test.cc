#include "types/collection_config.h"

#include <gtest/gtest.h>

#include "types/collection_config_json.h"

namespace akidb {
namespace {

TEST(CollectionConfig, TheGraphIsAsTheClientAskedWithinBounds) {
  CollectionConfig config;
  EXPECT_EQ(GraphConfigOf(config).m, 16u);
  config.echoed_json["hnsw_config"] = R"({"m":8,"ef_construct":null})";
  EXPECT_EQ(GraphConfigOf(config).m, 8u);
  EXPECT_EQ(GraphConfigOf(config).ef_construct, 100u);
  config.echoed_json["hnsw_config"] = R"({"m":0,"ef_construct":1000000})";
  EXPECT_EQ(GraphConfigOf(config).m, 0u);
  EXPECT_EQ(GraphConfigOf(config).ef_construct, 4096u);
}

TEST(CollectionConfig, TheMemoryModeIsAsTheClientAsked) {
  CollectionConfig config;
  EXPECT_EQ(MemoryModeOf(config, ""), MemoryMode::kBalanced);
  auto mode = [&](const char* quantization) {
    config.echoed_json["quantization_config"] = quantization;
    return MemoryModeOf(config, "a/b");
  };
  EXPECT_EQ(mode("null"), MemoryMode::kBalanced);
  EXPECT_EQ(mode(R"({"scalar":{"type":"int8"}})"), MemoryMode::kQuality);
  EXPECT_EQ(mode(R"({"product":{"compression":"x8"}})"), MemoryMode::kBalanced);
  EXPECT_EQ(mode(R"({"product":{"compression":"x64"}})"), MemoryMode::kCompact);
  EXPECT_EQ(mode(R"({"turbo":{}})"), MemoryMode::kBalanced);
  EXPECT_EQ(mode(R"({"turbo":{"bits":"bits1"}})"), MemoryMode::kCompact);
  EXPECT_EQ(mode(R"({"binary":{"always_ram":true}})"), MemoryMode::kCompact);
  config.echoed_json["vector_options"] =
      R"({"":{},"a/b":{"quantization_config":{"scalar":{"type":"int8"}}}})";
  EXPECT_EQ(MemoryModeOf(config, "a/b"), MemoryMode::kQuality);
  EXPECT_EQ(MemoryModeOf(config, ""), MemoryMode::kCompact);
  config.echoed_json["metadata"] = R"({"akidb":{"memory":"balanced"}})";
  EXPECT_EQ(MemoryModeOf(config, "a/b"), MemoryMode::kBalanced);
}

TEST(CollectionConfig, PrefixesAreAsTheClientSaysElseAsTheModelDeclares) {
  using Prefixes = std::vector<uint32_t>;
  CollectionConfig config;
  config.vectors[""] = {.dim = 2560};
  config.vectors["a/b"] = {.dim = 4096};
  EXPECT_EQ(PrefixesOf(config, ""), Prefixes());
  SetModelPrefixes(config, "a/b", Prefixes{512, 1024});
  SetModelPrefixes(config, "", Prefixes{256});
  EXPECT_EQ(PrefixesOf(config, "a/b"), (Prefixes{512, 1024}));
  EXPECT_EQ(PrefixesOf(config, ""), Prefixes{256});
  config = *CollectionConfigFromJson(CollectionConfigToJson(config));
  EXPECT_EQ(PrefixesOf(config, "a/b"), (Prefixes{512, 1024}));
  SetModelPrefixes(config, "", {});
  EXPECT_EQ(PrefixesOf(config, ""), Prefixes());
  config.echoed_json["metadata"] = R"({"akidb":{"matryoshka":[768]}})";
  EXPECT_EQ(PrefixesOf(config, ""), Prefixes{768});
  EXPECT_EQ(PrefixesOf(config, "a/b"), (Prefixes{512, 1024}));
  config.echoed_json["metadata"] = R"({"akidb":{"matryoshka":{"a/b":[2048]}}})";
  EXPECT_EQ(PrefixesOf(config, "a/b"), Prefixes{2048});
  SetModelPrefixes(config, "a/b", {});
  EXPECT_FALSE(config.echoed_json.contains("model_prefixes"));
}

TEST(CollectionConfig, ComesBackFromJson) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 384, .metric = Metric::kCosine, .on_disk = true};
  config.vectors["a \"quoted\" name"] = {.dim = 2, .metric = Metric::kManhattan};
  config.durability = Durability::kInterval;
  config.echoed_json["hnsw_config"] = R"({"m":16})";
  Result<CollectionConfig> read = CollectionConfigFromJson(CollectionConfigToJson(config));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->vectors, config.vectors);
  EXPECT_EQ(read->durability, config.durability);
  EXPECT_EQ(read->echoed_json, config.echoed_json);
}

TEST(CollectionConfig, PayloadIndexesComeBackAndMakeItVersion2) {
  CollectionConfig config;
  EXPECT_NE(CollectionConfigToJson(config).find(R"("version":1)"), std::string::npos);
  config.payload_indexes["a.b"] = {PayloadFieldKind::kKeyword, R"({"type":"keyword","x":1})"};
  config.payload_indexes["\"quoted\".n"] = {PayloadFieldKind::kInteger, ""};
  const std::string json = CollectionConfigToJson(config);
  EXPECT_NE(json.find(R"("version":2)"), std::string::npos);
  Result<CollectionConfig> read = CollectionConfigFromJson(json);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->payload_indexes, config.payload_indexes);
  for (const char* indexes :
       {"[]", R"({"a":1})", R"({"a":{}})", R"({"a":{"kind":"colour"}})",
        R"({"a":{"kind":"keyword","params":1}})", R"({"a":{"kind":"keyword","more":1}})"}) {
    const std::string bad = R"({"version":2,"payload_indexes":)" + std::string(indexes) + "}";
    EXPECT_EQ(CollectionConfigFromJson(bad).status().code(), ErrorCode::kCorruption) << bad;
  }
}

TEST(CollectionConfig, OtherKindsOfPayloadIndexesComeBackAndMakeItVersion4) {
  using Kind = PayloadFieldKind;
  for (Kind kind : {Kind::kFloat, Kind::kBool, Kind::kDatetime, Kind::kUuid, Kind::kGeo}) {
    CollectionConfig config;
    config.vectors[""] = {.dim = 3};
    config.payload_indexes["a"] = {kind, ""};
    const std::string json = CollectionConfigToJson(config);
    EXPECT_NE(json.find(R"("version":4)"), std::string::npos);
    Result<CollectionConfig> back = CollectionConfigFromJson(json);
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_EQ(back->payload_indexes, config.payload_indexes);
    EXPECT_EQ(ParsePayloadFieldKind(PayloadFieldKindName(kind)), kind);
  }
}

TEST(CollectionConfig, DatatypesAndMultivectorsComeBackAndMakeItVersion3) {
  CollectionConfig config;
  config.vectors["half"] = {.dim = 2, .datatype = VectorDatatype::kFloat16};
  config.vectors["byte"] = {.dim = 2, .datatype = VectorDatatype::kUint8};
  config.vectors["rows"] = {.dim = 2, .multivector = true};
  const std::string json = CollectionConfigToJson(config);
  EXPECT_NE(json.find(R"("version":3)"), std::string::npos);
  Result<CollectionConfig> read = CollectionConfigFromJson(json);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->vectors, config.vectors);
  for (const char* bad : {R"({"version":3,"vectors":{"":{"dim":3,"datatype":"float8"}}})",
                          R"({"version":3,"vectors":{"":{"dim":3,"multivector":"min_sim"}}})"}) {
    EXPECT_EQ(CollectionConfigFromJson(bad).status().code(), ErrorCode::kCorruption);
  }
  config.vectors.erase("half");
  config.vectors.erase("byte");
  EXPECT_NE(CollectionConfigToJson(config).find(R"("version":3)"), std::string::npos);
}

TEST(CollectionConfig, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(CollectionConfigFromJson(R"({"version":6})").status().code(), ErrorCode::kUnsupported);
  for (const char* json :
       {"", "[]", "{}", R"({"version":1,"surprise":1})", R"({"version":1,"vectors":{"":{}}})",
        R"({"version":1,"vectors":{"":{"dim":0}}})", R"({"version":1,"durability":"maybe"})",
        R"({"version":1,"vectors":{"":{"dim":3,"metric":"Best"}}})"}) {
    EXPECT_EQ(CollectionConfigFromJson(json).status().code(), ErrorCode::kCorruption) << json;
  }
}

}  // namespace
}  // namespace akidb
