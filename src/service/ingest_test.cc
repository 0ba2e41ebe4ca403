// Batches of points that are written one after the other.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "service/service.h"
#include "service/service_fixture.h"

namespace akidb::service {
namespace {

class IngestTest : public ServiceFixture {
 protected:
  static UpdateOperation Batch(std::vector<PointInput> points) {
    UpsertRequest upsert;
    upsert.points = std::move(points);
    return upsert;
  }
};

TEST_F(IngestTest, WritesUpToTheFirstBatchThatIsRefused) {
  FakeCollection& collection = MakeCollection();
  std::vector<UpdateOperation> batches;
  batches.push_back(Batch({TextPoint(1, "four"), TextPoint(2, "sixsix")}));
  batches.push_back(Batch({TextPoint(3, "a", "nonesuch")}));
  batches.push_back(Batch({TextPoint(4, "four")}));
  const Result<IngestReply> reply = service_.Ingest(context_, "c", batches);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(reply->replies.size(), 1u);
  EXPECT_EQ(reply->refused.code(), ErrorCode::kInference);
  EXPECT_EQ(reply->replies[0].usage, (InferenceUsage{{"small", 10}}));
  EXPECT_EQ(collection.points.size(), 2u);
}

TEST_F(IngestTest, EndsWhereTheCollectionHasNoRoom) {
  FakeCollection& collection = MakeCollection();
  collection.points_max = 2;
  std::vector<UpdateOperation> batches;
  batches.push_back(Batch({TextPoint(1, "four"), TextPoint(2, "sixsix")}));
  batches.push_back(Batch({TextPoint(3, "four")}));
  const Result<IngestReply> reply = service_.Ingest(context_, "c", batches);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->replies.size(), 1u);
  EXPECT_TRUE(reply->refused.ok());
  EXPECT_FALSE(reply->has_room);
  EXPECT_EQ(embedder_.calls.size(), 1u);
}

TEST_F(IngestTest, RoomThatOthersTakeMeanwhileIsNoRefusal) {
  FakeCollection& collection = MakeCollection();
  collection.taken = true;
  std::vector<UpdateOperation> batches;
  batches.push_back(Batch({TextPoint(1, "four")}));
  const Result<IngestReply> reply = service_.Ingest(context_, "c", batches);
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(reply->refused.ok());
  EXPECT_TRUE(reply->replies.empty());
  EXPECT_FALSE(reply->has_room);
}

TEST_F(IngestTest, AFullQueueOfTheModelIsNoRefusal) {
  FakeCollection& collection = MakeCollection();
  embedder_.failure = ResourceExhaustedError("8,000 texts wait");
  std::vector<UpdateOperation> batches;
  batches.push_back(Batch({TextPoint(1, "four")}));
  const Result<IngestReply> reply = service_.Ingest(context_, "c", batches);
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(reply->refused.ok());
  EXPECT_TRUE(reply->replies.empty());
  EXPECT_FALSE(reply->has_room);
  EXPECT_TRUE(collection.points.empty());
}

TEST_F(IngestTest, ACancelledRequestWritesNothingMore) {
  FakeCollection& collection = MakeCollection();
  std::vector<UpdateOperation> batches;
  batches.push_back(Batch({TextPoint(1, "four")}));
  RequestContext gone;
  gone.Cancel();
  const Result<IngestReply> reply = service_.Ingest(gone, "c", batches);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->refused.code(), ErrorCode::kCancelled);
  EXPECT_TRUE(collection.points.empty());
}

TEST_F(IngestTest, AnUnknownCollectionIsAnErrorWithoutAnyBatch) {
  EXPECT_EQ(service_.Ingest(context_, "c", {}).status().code(), ErrorCode::kNotFound);
  MakeCollection();
  EXPECT_TRUE(service_.Ingest(context_, "c", {}).ok());
}

TEST_F(IngestTest, RefusedPointsAreThoseThatTheSchemaRefuses) {
  MakeCollection();
  std::vector<PointInput> points(4);
  points[0].vectors.emplace_back("", DenseVector{1, 2, 3});
  points[1].vectors.emplace_back("", DenseVector{1, 2});
  points[2].vectors.emplace_back("nonesuch", DenseVector{1, 2, 3});
  points[3].vectors.emplace_back("", TextInput{"a", ""});
  const std::vector<RefusedPoint> refused = service_.RefusedPoints("c", points, 10);
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].index, 1u);
  EXPECT_EQ(refused[1].index, 2u);
  EXPECT_EQ(service_.RefusedPoints("c", points, 1).size(), 1u);
}

}  // namespace
}  // namespace akidb::service
