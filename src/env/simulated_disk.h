// What the simulated file system's disk and page cache hold. Private to simulated_file_system.cc.
// Not thread-safe: the file system's lock guards it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace akidb::env {

// Repeatable choices (SplitMix64).
class SimulatedDice {
 public:
  explicit SimulatedDice(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // True in `percent` of 100 cases.
  bool Chance(uint64_t percent) { return Below(100) < percent; }

 private:
  uint64_t state_;
};

// How much of the unsynced changes of a file or folder a crash keeps.
struct SurvivalPlan {
  enum class Mode : unsigned char { kNothing, kEverything, kPrefix, kSubset };
  Mode mode = Mode::kNothing;
  uint64_t keep_percent = 50;  // of pieces; kSubset
  static SurvivalPlan Draw(SimulatedDice& dice);
};

// The content of one file, as the cache shows it and as the disk keeps it.
class SimulatedContent {
 public:
  size_t Read(uint64_t offset, std::span<std::byte> out) const;
  void Write(uint64_t change, uint64_t offset, std::span<const std::byte> data);
  void Resize(uint64_t change, uint64_t bytes);
  uint64_t size() const { return visible_.size(); }
  std::span<const std::byte> bytes() const { return visible_; }
  void FlipBit(uint64_t bit);

  // The changes up to this one become durable.
  void Sync(uint64_t last_change);
  // Some of the unsynced changes reach the disk, the others never will; the cache shows them all.
  void FailSync(SimulatedDice& dice);
  // The cache shows the disk again, with the changes that are still to be synced.
  void DropCache();
  SimulatedContent AfterCrash(SimulatedDice& dice) const;

 private:
  struct Change {
    uint64_t number = 0;
    bool resize = false;
    uint64_t offset = 0;  // or the new size
    std::vector<std::byte> data;
  };
  static void Apply(const Change& change, std::vector<std::byte>& bytes);
  static void ApplyPieces(const Change& change, const SurvivalPlan& plan, SimulatedDice& dice,
                          std::vector<std::byte>& bytes);
  static void ApplySurvivors(const std::vector<Change>& changes, SimulatedDice& dice,
                             std::vector<std::byte>& bytes);

  std::vector<std::byte> visible_;
  std::vector<std::byte> durable_;
  std::vector<Change> unsynced_;
};

// The names in one folder, likewise. Node is the file system's file or folder.
template <typename Node>
class SimulatedEntries {
 public:
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  // Names set together, atomically; a null node removes the name.
  using Edit = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;

  const Names& visible() const { return visible_; }

  void Change(Edit edit) {
    Apply(edit, visible_);
    unsynced_.push_back(std::move(edit));
  }
  void Sync() {
    for (const Edit& edit : unsynced_) Apply(edit, durable_);
    unsynced_.clear();
  }
  Names AfterCrash(SimulatedDice& dice) const {
    Names names = durable_;
    SurvivalPlan plan = SurvivalPlan::Draw(dice);
    uint64_t prefix = dice.Below(unsynced_.size() + 1);
    for (size_t i = 0; i < unsynced_.size(); ++i) {
      bool keep = false;
      switch (plan.mode) {
        case SurvivalPlan::Mode::kNothing:
          break;
        case SurvivalPlan::Mode::kEverything:
          keep = true;
          break;
        case SurvivalPlan::Mode::kPrefix:
          keep = i < prefix;
          break;
        case SurvivalPlan::Mode::kSubset:
          keep = dice.Chance(plan.keep_percent);
          break;
      }
      if (keep) Apply(unsynced_[i], names);
    }
    return names;
  }
  // Everything in `names` is durable.
  void Reset(Names names) {
    visible_ = names;
    durable_ = std::move(names);
    unsynced_.clear();
  }

 private:
  static void Apply(const Edit& edit, Names& names) {
    for (const auto& [name, node] : edit) {
      if (node) {
        names[name] = node;
      } else {
        names.erase(name);
      }
    }
  }

  Names visible_;
  Names durable_;
  std::vector<Edit> unsynced_;
};

}  // namespace akidb::env
