// Models whose providers fail.
#include <future>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "embedding/model_registry_fixture.h"

namespace akidb::embedding {
namespace {

using ModelRegistryFaultsTest = ModelRegistryTest;

TEST_F(ModelRegistryFaultsTest, OneThatNoProviderCanRunAnyMoreIsLoadedAnewByTheNextUse) {
  Make({10});
  ASSERT_TRUE(EmbedWith(*registry_, 0).ok());
  source_->health.refused = true;
  EXPECT_TRUE(EmbedWith(*registry_, 0).ok());
  EXPECT_EQ(source_->loads, 2);
  EXPECT_EQ(source_->forgotten, 1);
  // Why that fails is told as of any load.
  source_->health.refused = true;
  source_->failures = 1;
  EXPECT_EQ(Use(0).code(), ErrorCode::kCorruption);
  EXPECT_EQ(registry_->state(0).state, ModelState::kFailed);
}

TEST_F(ModelRegistryFaultsTest, OneThatNoProviderCanRunAnyMoreServesItsRequestsToTheEnd) {
  Make({10});
  std::optional<ModelRegistry::Lease> held = Hold(0);
  source_->health.refused = true;
  std::future<Status> next = Async([&] { return EmbedWith(*registry_, 0); });
  WaitForState(0, ModelState::kDraining);
  EXPECT_EQ(source_->loads, 1);
  held.reset();
  EXPECT_TRUE(next.get().ok());
  EXPECT_EQ(source_->memory.models_most, 1);
}

TEST_F(ModelRegistryFaultsTest, ALoadIsDoneAnewWhereNoProviderServes) {
  Make({10});
  ASSERT_TRUE(Use(0).ok());
  ASSERT_TRUE(registry_->Load(context_, 0).ok());
  EXPECT_EQ(source_->loads, 1);
  source_->health.serves = false;
  EXPECT_TRUE(Use(0).ok());  // its providers are tried again, and tell why
  EXPECT_EQ(source_->loads, 1);
  source_->failures = 1;
  EXPECT_EQ(registry_->Load(context_, 0).code(), ErrorCode::kCorruption);
  EXPECT_TRUE(registry_->Load(context_, 0).ok());
  EXPECT_EQ(source_->loads, 3);
}

}  // namespace
}  // namespace akidb::embedding
