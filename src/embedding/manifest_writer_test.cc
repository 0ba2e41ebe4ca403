#include "embedding/manifest_writer.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

TEST(WriteManifest, WhatIsInTextsIsNotTakenForStructure) {
  Manifest manifest = ParseManifest(BuiltInManifests()[0]).value();
  const auto lines = [](const std::string& json) {
    return std::count(json.begin(), json.end(), '\n');
  };
  manifest.query_prompt = "query";
  manifest.document_prompt = "document";
  const auto lines_of_plain = lines(WriteManifest(manifest, {}));
  for (const char* text : {"ends in \\", "ends in two \\\\", "\\", "a \"quoted, and: \\\" {one}",
                           "[{\"a\":1,\"b\":[1,2]}]", "\\\"", "two\nlines\t"}) {
    manifest.query_prompt = text;
    manifest.document_prompt = "of {one}, two: [three]\\";
    const std::string json = WriteManifest(manifest, {});
    const Result<Manifest> read = ParseManifest(json);
    ASSERT_TRUE(read.ok()) << read.status().ToString() << "\n" << json;
    EXPECT_EQ(read->query_prompt, manifest.query_prompt);
    EXPECT_EQ(read->document_prompt, manifest.document_prompt);
    EXPECT_EQ(Fingerprint(*read), Fingerprint(manifest));
    EXPECT_EQ(lines(json), lines_of_plain) << json;
  }
}

}  // namespace
}  // namespace akidb::embedding
