#include "env/simulated_disk.h"

#include <algorithm>
#include <cstring>

namespace akidb::env {
namespace {

// The page cache writes whole pages; within one, a torn write keeps the bytes that came first.
constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kTornPercent = 10;

}  // namespace

uint64_t SimulatedDice::Next() {
  state_ += 0x9E3779B97F4A7C15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

SurvivalPlan SurvivalPlan::Draw(SimulatedDice& dice) {
  static constexpr Mode kModes[] = {Mode::kNothing, Mode::kEverything, Mode::kPrefix,
                                    Mode::kPrefix,  Mode::kSubset,     Mode::kSubset};
  return {kModes[dice.Below(std::size(kModes))], 1 + dice.Below(99)};
}

size_t SimulatedContent::Read(uint64_t offset, std::span<std::byte> out) const {
  if (offset >= visible_.size()) return 0;
  size_t count = std::min<uint64_t>(out.size(), visible_.size() - offset);
  if (count > 0) std::memcpy(out.data(), visible_.data() + offset, count);
  return count;
}

void SimulatedContent::Write(uint64_t change, uint64_t offset, std::span<const std::byte> data) {
  unsynced_.push_back({change, false, offset, {data.begin(), data.end()}});
  Apply(unsynced_.back(), visible_);
}

void SimulatedContent::Resize(uint64_t change, uint64_t bytes) {
  unsynced_.push_back({change, true, bytes, {}});
  Apply(unsynced_.back(), visible_);
}

void SimulatedContent::FlipBit(uint64_t bit) {
  auto mask = static_cast<std::byte>(1U << (bit % 8));
  if (bit / 8 < visible_.size()) visible_[bit / 8] ^= mask;
  if (bit / 8 < durable_.size()) durable_[bit / 8] ^= mask;
}

void SimulatedContent::Sync(uint64_t last_change) {
  size_t count = 0;
  for (; count < unsynced_.size() && unsynced_[count].number <= last_change; ++count) {
    Apply(unsynced_[count], durable_);
  }
  unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<ptrdiff_t>(count));
}

void SimulatedContent::FailSync(SimulatedDice& dice) {
  ApplySurvivors(unsynced_, dice, durable_);
  unsynced_.clear();
}

void SimulatedContent::DropCache() {
  visible_ = durable_;
  for (const Change& change : unsynced_) Apply(change, visible_);
}

SimulatedContent SimulatedContent::AfterCrash(SimulatedDice& dice) const {
  SimulatedContent content;
  content.durable_ = durable_;
  ApplySurvivors(unsynced_, dice, content.durable_);
  content.visible_ = content.durable_;
  return content;
}

void SimulatedContent::Apply(const Change& change, std::vector<std::byte>& bytes) {
  if (change.resize) {
    bytes.resize(change.offset);
    return;
  }
  uint64_t end = change.offset + change.data.size();
  if (bytes.size() < end) bytes.resize(end);
  if (!change.data.empty()) {
    std::memcpy(bytes.data() + change.offset, change.data.data(), change.data.size());
  }
}

void SimulatedContent::ApplyPieces(const Change& change, const SurvivalPlan& plan,
                                   SimulatedDice& dice, std::vector<std::byte>& bytes) {
  if (change.resize) {
    if (dice.Chance(plan.keep_percent)) Apply(change, bytes);
    return;
  }
  for (uint64_t done = 0; done < change.data.size();) {
    uint64_t offset = change.offset + done;
    uint64_t length =
        std::min<uint64_t>(change.data.size() - done, kPageBytes - offset % kPageBytes);
    if (dice.Chance(plan.keep_percent)) {
      uint64_t kept = dice.Chance(kTornPercent) ? dice.Below(length) : length;
      auto first = change.data.begin() + static_cast<ptrdiff_t>(done);
      Apply({change.number, false, offset, {first, first + static_cast<ptrdiff_t>(kept)}}, bytes);
    }
    done += length;
  }
}

void SimulatedContent::ApplySurvivors(const std::vector<Change>& changes, SimulatedDice& dice,
                                      std::vector<std::byte>& bytes) {
  SurvivalPlan plan = SurvivalPlan::Draw(dice);
  switch (plan.mode) {
    case SurvivalPlan::Mode::kNothing:
      return;
    case SurvivalPlan::Mode::kEverything:
      for (const Change& change : changes) Apply(change, bytes);
      return;
    case SurvivalPlan::Mode::kPrefix: {
      if (changes.empty()) return;
      size_t whole = dice.Below(changes.size());
      for (size_t i = 0; i < whole; ++i) Apply(changes[i], bytes);
      Change torn = changes[whole];
      if (torn.resize && !dice.Chance(50)) return;
      if (!torn.resize) torn.data.resize(dice.Below(torn.data.size() + 1));
      Apply(torn, bytes);
      return;
    }
    case SurvivalPlan::Mode::kSubset:
      for (const Change& change : changes) ApplyPieces(change, plan, dice, bytes);
      return;
  }
}

}  // namespace akidb::env
