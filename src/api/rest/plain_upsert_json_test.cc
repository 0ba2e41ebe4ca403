// The quick way of reading upserts against the one by way of the parsed body: whatever the first
// one reads, the second one reads, too, and to the same points.
#include "api/rest/plain_upsert_json.h"

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/rest/point_json.h"
#include "api/rest/write_json.h"

namespace akidb::rest {
namespace {

Result<UpsertRequest> ByTree(std::string_view body) { return DecodeAs(body, ReadUpsert); }

bool IsPlain(std::string_view body) {
  UpsertRequest request;
  return ReadPlainUpsert(body, request);
}

void ExpectSameVector(const VectorInput& a, const VectorInput& b) {
  ASSERT_EQ(a.index(), b.index());
  if (const auto* text = std::get_if<TextInput>(&a)) {
    EXPECT_EQ(text->text, std::get<TextInput>(b).text);
    EXPECT_EQ(text->model, std::get<TextInput>(b).model);
    return;
  }
  const auto& x = std::get<DenseVector>(a);
  const auto& y = std::get<DenseVector>(b);
  ASSERT_EQ(x.size(), y.size());
  // Bit for bit: -0 is not 0.
  EXPECT_TRUE(x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
  EXPECT_EQ(x.row_dim, y.row_dim);
  EXPECT_EQ(x.indices, y.indices);
}

void ExpectSame(const UpsertRequest& a, const UpsertRequest& b) {
  EXPECT_EQ(a.mode, b.mode);
  EXPECT_EQ(a.filter == nullptr, b.filter == nullptr);
  ASSERT_EQ(a.points.size(), b.points.size());
  for (size_t i = 0; i < a.points.size(); ++i) {
    EXPECT_EQ(a.points[i].id, b.points[i].id);
    const auto x = a.points[i].payload.encoded();
    const auto y = b.points[i].payload.encoded();
    EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin(), y.end()));
    ASSERT_EQ(a.points[i].vectors.size(), b.points[i].vectors.size());
    for (size_t j = 0; j < a.points[i].vectors.size(); ++j) {
      EXPECT_EQ(a.points[i].vectors[j].first, b.points[i].vectors[j].first);
      ExpectSameVector(a.points[i].vectors[j].second, b.points[i].vectors[j].second);
    }
  }
}

// Whether the body is read the quick way, which must then be right.
bool Agrees(std::string_view body) {
  UpsertRequest plain;
  if (!ReadPlainUpsert(body, plain)) return false;
  const Result<UpsertRequest> tree = ByTree(body);
  EXPECT_TRUE(tree.ok()) << body << ": " << tree.status().ToString();
  if (tree.ok()) ExpectSame(plain, *tree);
  return true;
}

TEST(PlainUpsert, ReadsWhatClientsSend) {
  EXPECT_TRUE(Agrees(R"({"points":[]})"));
  EXPECT_TRUE(Agrees(R"( { "points" : [ { "id" : 1 , "vector" : [ 0.5 , -2 ] } ] } )"));
  EXPECT_TRUE(Agrees(R"({"points":[{"id":1,"vector":[0.5],"payload":{"a":[1,{"b":"\"}"}]}}]})"));
  EXPECT_TRUE(Agrees(R"({"points":[{"id":"936da01f9abd4d9d80c702af85c822a8","payload":null,
                         "vector":{"":[1,2],"b":[-0.0]}}],"shard_key":null,"update_filter":null,
                         "update_mode":null,"anything":null})"));
  EXPECT_TRUE(Agrees(R"({"points":[{"id":1,"vector":{"\u0061":[1],"b":[2]}}]})"));
  EXPECT_TRUE(Agrees(R"({"points":[{"id":18,"payload":{"ключ":"\u00e9 }] \\"},"vector":{"d":[1],
                         "s":{"indices":[1,5],"values":[0.5,2]},
                         "t":{"text":"a { text","model":"m"},
                         "w":{"text":"words of it","model":"qdrant/bm25"}}}]})"));
}

TEST(PlainUpsert, LeavesTheUnusualToTheTree) {
  for (const char* body : {"",
                           "{}",
                           "[]",
                           "null",
                           R"({"points":null})",
                           R"({"batch":{"ids":[],"vectors":[]}})",
                           R"({"points":[],"points":[]})",
                           R"({"points":[],"batch":null})",
                           R"({"points":[],"a":null,"a":null})",
                           R"({"points":[],"update_mode":"insert_only"})",
                           R"({"points":[]}x)",
                           R"({"points":[],})",
                           R"({"points":[{"id":1}]})",
                           R"({"points":[{"vector":[1]}]})",
                           R"({"points":[{"id":1,"vector":[1]},]})",
                           R"({"points":[{"id":1,"id":1,"vector":[1]}]})",
                           R"({"points":[{"id":1,"vector":[1],"vectors":[1]}]})",
                           R"({"points":[{"id":1,"vector":[1],"payload":{},"payload":{}}]})",
                           R"({"points":[{"id":1,"vector":{"a":[1],"a":[1]}}]})",
                           R"({"points":[{"id":1,"vector":{"text":"t","model":"m"}}]})",
                           R"({"points":[{"id":1,"vector":[[1]]}]})",
                           R"({"points":[{"id":1,"vector":[]}]})",
                           R"({"points":[{"id":01,"vector":[1]}]})",
                           R"({"points":[{"id":1.0,"vector":[1]}]})",
                           R"({"points":[{"id":-1,"vector":[1]}]})",
                           R"({"points":[{"id":"x","vector":[1]}]})",
                           R"({"points":[{"id":99999999999999999999,"vector":[1]}]})",
                           R"({"points":[{"id":1,"vector":[1],"payload":[]}]})",
                           R"({"points":[{"id":1,"vector":[1],"payload":{"a":1e400}}]})",
                           R"({"points":[{"id":1,"vector":[1],"payload":{"a":]}}]})",
                           "{\"points\":[{\"id\":1,\"vector\":[1],\"payload\":{\"a\":\"\xff\"}}]}",
                           "{\"points\":[{\"id\":1,\"vector\":[1],\"payload\":{\"a\":\"\n\"}}]}"}) {
    EXPECT_FALSE(IsPlain(body)) << body;
  }
}

TEST(PlainUpsert, LeavesTheErrorsOfDeepPayloadsToTheTree) {
  for (int depth : {10, 64, 127, 128, 129, 130, 255, 300}) {
    const auto times = static_cast<size_t>(depth);
    const std::string body = R"({"points":[{"id":1,"vector":[1],"payload":{"a":)" +
                             std::string(times, '[') + std::string(times, ']') + "}}]}";
    Agrees(body);
    EXPECT_EQ(DecodeUpsert(body).status().ToString(), ByTree(body).status().ToString());
  }
}

class BodyGenerator {
 public:
  explicit BodyGenerator(uint64_t seed) : random_(seed) {}

  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }

  std::string Body() {
    std::string body = Space() + "{" + Space() + "\"points\"" + Space() + ":" + Space() + "[";
    const size_t points = Below(5);
    for (size_t i = 0; i < points; ++i) body += (i == 0 ? "" : ",") + Space() + Point();
    body += Space() + "]";
    if (Below(4) == 0) body += ",\"shard_key\": null";
    return body + Space() + "}" + Space();
  }

  // Some bytes of it are others, missing, or there twice.
  std::string Damaged(std::string body) {
    static constexpr std::string_view kBytes = "{}[]\",:\\ 0123456789.eE+-\nntrue\xc3\xff\x01\x7f";
    const size_t changes = 1 + Below(3);
    for (size_t i = 0; i < changes && !body.empty(); ++i) {
      const size_t at = Below(body.size());
      switch (Below(4)) {
        case 0:
          body.erase(at, 1 + Below(3));
          break;
        case 1:
          body.insert(at, 1, kBytes[Below(kBytes.size())]);
          break;
        case 2:
          body.insert(at, body.substr(at, 1 + Below(40)));
          break;
        default:
          body[at] = kBytes[Below(kBytes.size())];
      }
    }
    return body;
  }

 private:
  std::string Space() { return Below(3) == 0 ? std::string(Below(3), " \n\t\r"[Below(4)]) : ""; }

  std::string OneOf(const std::vector<std::string>& texts) { return texts[Below(texts.size())]; }

  std::string Number() {
    return OneOf({"0",
                  "-0",
                  "-0.0",
                  "1",
                  "12",
                  "0.1",
                  "-0.123456",
                  "0.12345678955316544",
                  "1e5",
                  "-1.5E-3",
                  "3.25",
                  "123456789012",
                  "0.3333333333333333333333",
                  "1e-50",
                  "2e30",
                  "-0.03452759981155395",
                  "-0.034527599811553955",
                  "0.000012345678901234567",
                  "0.9999999999999999999",
                  "-0.1234567890123456789",
                  "-1.234567890123456789",
                  "1234567890.12345678901234567890e-3"});
  }

  std::string Numbers() {
    std::string array = "[" + Number();
    for (size_t i = Below(12); i > 0; --i) array += Space() + "," + Space() + Number();
    return array + Space() + "]";
  }

  std::string Named() {
    std::string vectors = "{";
    for (size_t i = 0, count = Below(4); i < count; ++i) {
      vectors += (i == 0 ? "\"v" : ",\"v") + std::to_string(i) + "\":" + Space();
      vectors += Below(3) > 0 ? Numbers()
                              : OneOf({R"({"indices":[3,1],"values":[1,2.5]})", R"({"text":"a b"})",
                                       R"({"text":"a b","model":"qdrant/bm25"})", "[[1,2],[3,4]]",
                                       R"({"indices":[1,1],"values":[1,2]})", "{}", "[]", "\"t\""});
    }
    return vectors + "}";
  }

  std::string Point() {
    std::vector<std::string> members = {
        "\"id\":" + OneOf({"0", "7", "18446744073709551615", "01", "1.0", "\"x\"",
                           "\"936da01f-9abd-4d9d-80c7-02af85c822a8\""}),
        "\"vector\"" + Space() + ":" + Space() + (Below(2) == 0 ? Numbers() : Named())};
    if (Below(2) == 0) {
      members.push_back("\"payload\":" +
                        OneOf({"null", "{}", R"({"a":1,"b":[true,null,{"c":-2.5e3}]})",
                               R"({"t":"a \"quoted\" } text\\","é":"ü"})", R"({"a":1,"a":2})",
                               "[1]", R"({"n":18446744073709551615})"}));
    }
    std::shuffle(members.begin(), members.end(), random_);
    std::string point = "{";
    for (const std::string& member : members) {
      point += (point.size() == 1 ? "" : ",") + Space() + member + Space();
    }
    return point + "}";
  }

  std::mt19937_64 random_;
};

TEST(PlainUpsert, AgreesWithTheTreeOnGeneratedBodies) {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  BodyGenerator generator(seed);
  int plain = 0;
  int damaged_plain = 0;
  constexpr int kRounds = 20'000;
  for (int i = 0; i < kRounds; ++i) {
    const std::string body = generator.Body();
    plain += Agrees(body);
    damaged_plain += Agrees(generator.Damaged(body));
    if (HasFailure()) FAIL() << body;
  }
  // Both ways have had something to do.
  EXPECT_GT(plain, kRounds / 10);
  EXPECT_LT(plain, kRounds);
  EXPECT_GT(damaged_plain, kRounds / 200);
  EXPECT_LT(damaged_plain, plain);
}

}  // namespace
}  // namespace akidb::rest
