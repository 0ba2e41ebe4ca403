// For tests that hurt a whole database at any moment of its life: what happens in such a life, and
// what there must be after each step of it.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/database_life_fixture.h"

namespace akidb::engine::database_life {

struct Step {
  enum class Kind : unsigned char {
    kWrite,    // of points
    kVectors,  // changes a collection's vectors
    kSystem,   // a record of the system log
    kOther,    // changes nothing that is found
    kStart,    // ends the process, and begins the next one
  };
  Kind kind = Kind::kOther;
  std::string name;  // of the collection, or an alias of it
  std::function<Status()> act;
  std::function<void(State&)> effect;
};

// A snapshot that was acknowledged, and what is in it.
struct Taken {
  std::string collection;
  std::string name;
  Held held;
};

// By the name of a collection or an alias; null: there is none.
inline Held* Find(State& state, const std::string& name) {
  const auto alias = state.aliases.find(name);
  const auto found = state.collections.find(alias == state.aliases.end() ? name : alias->second);
  return found == state.collections.end() ? nullptr : &found->second;
}

inline bool SameVersions(const Points& a, const Points& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.version == other.second.version;
  });
}

// What whoever drives the database knows of it: what it answers now, and what the next start may
// find. The two are one until a step has failed in a way of which only that start can tell.
class Truth {
 public:
  // Whoever alone uses the names and aliases that begin so; empty: all.
  explicit Truth(std::string prefix = "") : prefix_(std::move(prefix)) {}

  const std::string& prefix() const { return prefix_; }
  State& visible() { return visible_; }
  std::vector<Taken>& taken() { return taken_; }
  const std::vector<Taken>& taken() const { return taken_; }

  // What was acknowledged stands on what was visible: another outcome of an older doubt about it is
  // impossible from now on.
  void Succeed(const Step& step) {
    if (step.kind == Step::Kind::kWrite || step.kind == Step::Kind::kVectors) {
      const Held* seen = Find(visible_, step.name);
      std::erase_if(possible_, [&](State& state) {
        const Held* held = Find(state, step.name);
        return held == nullptr || seen == nullptr || !SameVersions(held->points, seen->points);
      });
    } else if (step.kind == Step::Kind::kSystem) {
      std::erase_if(possible_, [&](const State& state) {
        return state.aliases != visible_.aliases || NamesIn(state) != NamesIn(visible_);
      });
    }
    if (!step.effect) return;
    for (State& state : possible_) step.effect(state);
    step.effect(visible_);
  }
  // It may have come to pass.
  void Doubt(const Step& step) {
    std::vector<State> more = possible_;
    for (State& state : more) step.effect(state);
    for (State& state : more) Add(std::move(state));
  }
  // A start has found this. False: it can't be.
  bool Settle(const State& found) {
    if (!Allows(found)) return false;
    Assume(found);
    return true;
  }
  void Assume(const State& found) {
    visible_ = Mine(found);
    possible_ = {visible_};
  }
  bool Allows(const State& found) const {
    return std::find(possible_.begin(), possible_.end(), Mine(found)) != possible_.end();
  }
  std::string ToString() const {
    std::string text;
    for (const State& state : possible_) text += "\n  may be: " + state.ToString();
    return text;
  }

 private:
  // Names and models.
  static std::set<std::pair<std::string, std::string>> NamesIn(const State& state) {
    std::set<std::pair<std::string, std::string>> names;
    for (const auto& [name, held] : state.collections) names.emplace(name, held.model);
    return names;
  }
  void Add(State state) {
    if (std::find(possible_.begin(), possible_.end(), state) == possible_.end()) {
      possible_.push_back(std::move(state));
    }
  }
  State Mine(const State& found) const {
    State mine = found;
    const auto others = [&](const auto& entry) { return !entry.first.starts_with(prefix_); };
    std::erase_if(mine.collections, others);
    std::erase_if(mine.aliases, others);
    return mine;
  }

  const std::string prefix_;
  State visible_;
  std::vector<State> possible_{State{}};
  std::vector<Taken> taken_;
};

// Makes the steps of a life, which act on world and truth. All outlive the steps.
class Script {
 public:
  // `version_before`: smaller than that of any point that is written.
  Script(World& world, Truth& truth, int64_t version_before = 0)
      : world_(world), truth_(truth), version_before_(version_before) {}
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  const std::vector<Step>& steps() const { return steps_; }

  void Create(const std::string& short_name) {
    const std::string name = Full(short_name);
    Add({Step::Kind::kSystem, name, [this, name] { return world_.Create(name); },
         [name](State& state) { state.collections.emplace(name, Held{}); }});
  }
  void Delete(const std::string& short_name) {
    const std::string name = Full(short_name);
    Add({Step::Kind::kSystem, name, [this, name] { return world_.Delete(name); },
         [name](State& state) {
           state.collections.erase(name);
           std::erase_if(state.aliases, [&](const auto& alias) { return alias.second == name; });
         }});
  }
  void Upsert(const std::string& short_name, const std::vector<uint64_t>& ids) {
    const std::string name = Full(short_name);
    const int64_t version = version_before_ + static_cast<int64_t>(steps_.size()) + 1;
    auto with_added = std::make_shared<bool>(false);
    Add({Step::Kind::kWrite, name,
         [=, this] { return world_.Upsert(name, ids, version, *with_added); },
         [=](State& state) {
           Held* held = Find(state, name);
           if (held == nullptr) return;
           for (const uint64_t id : ids) held->points[id] = {version, *with_added};
         }});
  }
  void DeletePoints(const std::string& short_name, const std::vector<uint64_t>& ids) {
    const std::string name = Full(short_name);
    Add({Step::Kind::kWrite, name, [=, this] { return world_.DeletePoints(name, ids); },
         [=](State& state) {
           Held* held = Find(state, name);
           for (const uint64_t id : ids) {
             if (held != nullptr) held->points.erase(id);
           }
         }});
  }
  void Seal(const std::string& short_name) {
    const std::string name = Full(short_name);
    Add({Step::Kind::kOther, name, [this, name] { return world_.Seal(name); }, nullptr});
  }
  void ChangeVectors(const std::string& short_name, bool adds) {
    const std::string name = Full(short_name);
    Add({Step::Kind::kVectors, name, [=, this] { return world_.ChangeVectors(name, adds); },
         [=](State& state) {
           Held* held = Find(state, name);
           if (held == nullptr) return;
           held->has_added = adds;
           for (auto& [id, stored] : held->points) stored.added = adds && stored.added;
         }});
  }
  void PointAlias(const std::string& short_alias, const std::string& short_name) {
    const std::string alias = Full(short_alias);
    const std::string name = Full(short_name);
    Add({Step::Kind::kSystem, name,
         [=, this] {
           const AliasChange change = CreateAlias{name, alias};
           return world_.database()->ChangeAliases({&change, 1});
         },
         [=](State& state) { state.aliases[alias] = name; }});
  }
  // Both together: the first gets another name, the second goes.
  void RenameAndRemove(const std::string& from, const std::string& to, const std::string& gone) {
    const std::vector<AliasChange> changes = {RenameAlias{Full(from), Full(to)},
                                              DeleteAlias{Full(gone)}};
    Add({Step::Kind::kSystem, "", [=, this] { return world_.database()->ChangeAliases(changes); },
         [old = Full(from), name = Full(to), removed = Full(gone)](State& state) {
           const auto present = state.aliases.find(old);
           if (present == state.aliases.end()) return;
           const std::string target = present->second;
           state.aliases.erase(present);
           state.aliases.erase(removed);
           state.aliases[name] = target;
         }});
  }
  void Bind(const std::string& short_name, const std::string& model) {
    const std::string name = Full(short_name);
    Add({Step::Kind::kSystem, name,
         [=, this]() -> Status {
           AKIDB_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                                  world_.database()->FindCollection(name));
           return world_.database()->BindModel(collection->uuid(), "", model, "of " + model);
         },
         [=](State& state) {
           Held* held = Find(state, name);
           if (held != nullptr && held->model.empty()) held->model = model;
         }});
  }

  using Slot = std::shared_ptr<std::optional<Taken>>;
  // Gives what will be of it.
  Slot Snapshot(const std::string& short_name) {
    const std::string name = Full(short_name);
    auto slot = std::make_shared<std::optional<Taken>>();
    Add({Step::Kind::kOther, name, [=, this] { return TakeSnapshot(name, *slot); }, nullptr});
    return slot;
  }
  void Restore(const std::string& short_name, const Slot& slot) {
    const std::string name = Full(short_name);
    Add({Step::Kind::kSystem, name,
         [=, this]() -> Status {
           if (!*slot) return NotFoundError("no such snapshot was made");
           AKIDB_ASSIGN_OR_RETURN(const std::string path, world_.database()->snapshots().PathOf(
                                                              (*slot)->collection, (*slot)->name));
           return world_.database()->RestoreSnapshot(world_.context(), name, path);
         },
         [=](State& state) {
           if (!*slot) return;
           Held* held = Find(state, name);
           (held != nullptr ? *held : state.collections[name]) = (*slot)->held;
         }});
  }
  void RemoveSnapshot(const Slot& slot) {
    Add({Step::Kind::kOther, "",
         [=, this]() -> Status {
           if (!*slot) return OkStatus();
           // From now on it may be there or not.
           std::erase_if(truth_.taken(),
                         [&](const Taken& one) { return one.name == (*slot)->name; });
           return world_.database()->snapshots().Remove((*slot)->collection, (*slot)->name);
         },
         nullptr});
  }
  void SnapshotOfAll() {
    Add({Step::Kind::kOther, "",
         [this] { return world_.database()->CreateStorageSnapshot(world_.context()).status(); },
         nullptr});
  }
  // Closed before; or the power goes and comes back at once.
  void Restart(bool closes) {
    Add({Step::Kind::kStart, "",
         [this, closes] {
           if (!closes && world_.database() != nullptr) world_.CutPower();
           return world_.Open(true);
         },
         nullptr});
  }

 private:
  std::string Full(const std::string& short_name) const { return truth_.prefix() + short_name; }
  void Add(Step step) { steps_.push_back(std::move(step)); }
  Status TakeSnapshot(const std::string& name, std::optional<Taken>& taken) {
    AKIDB_ASSIGN_OR_RETURN(const std::string collection, world_.database()->NameOf(name));
    const Held* held = Find(truth_.visible(), name);
    AKIDB_ASSIGN_OR_RETURN(const SnapshotInfo info,
                           world_.database()->CreateSnapshot(world_.context(), name));
    if (held == nullptr) return InternalError("a snapshot of what isn't there");
    taken = Taken{collection, info.name, *held};
    truth_.taken().push_back(*taken);
    return OkStatus();
  }

  World& world_;
  Truth& truth_;
  const int64_t version_before_;
  std::vector<Step> steps_;
};

// How the disk fails while a life goes on.
enum class Faults : unsigned char {
  kPowerGoes,  // nothing comes after the first failure
  kOnce,
  kForEver,
};

// Lives a script.
class Life {
 public:
  Life(World& world, Truth& truth, Faults faults) : world_(world), truth_(truth), faults_(faults) {}

  // What is wrong; empty while nothing is. Of a database that is open.
  std::string Run(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (std::string wrong = Do(step); !wrong.empty()) {
        return "step " + std::to_string(&step - steps.data()) + ": " + wrong;
      }
      if (stopped_) return "";
    }
    return "";
  }
  // All of it was lived; else the failure that it has ended with.
  bool finished() const { return !stopped_; }
  const Status& failure() const { return failure_; }

  std::string Do(const Step& step) {
    world_.JumpInTime();
    if (step.kind == Step::Kind::kStart) return Start(step);
    const std::string before = DoubtOf(step);
    const Status status = step.act();
    if (status.ok()) {
      truth_.Succeed(step);
      return "";
    }
    failure_ = status;
    stopped_ = faults_ == Faults::kPowerGoes;
    if (status.code() == ErrorCode::kInternal) return status.ToString();
    // That of vectors leaves no trace but in its files.
    const bool in_doubt =
        step.kind == Step::Kind::kVectors || (before.empty() && !DoubtOf(step).empty());
    if (step.effect && in_doubt) truth_.Doubt(step);
    return CheckAnswers();
  }

 private:
  std::string Start(const Step& step) {
    Status status = step.act();
    // One failure isn't two.
    if (!status.ok() && faults_ == Faults::kOnce) status = world_.Open(true);
    Result<State> found = status.ok() ? world_.Read() : status;
    if (!found.ok() && faults_ == Faults::kOnce) found = world_.Read();
    if (found.ok()) {
      return truth_.Settle(*found) ? "" : "found: " + found->ToString() + truth_.ToString();
    }
    failure_ = found.status();
    stopped_ = true;
    return faults_ == Faults::kOnce ? failure_.ToString() : "";
  }

  // Why only the next start can tell what has come to pass; "": it isn't so.
  std::string DoubtOf(const Step& step) {
    if (step.kind == Step::Kind::kSystem) return world_.database()->SystemTrouble();
    const Result<std::string> name = world_.database()->NameOf(step.name);
    if (step.kind != Step::Kind::kWrite || !name.ok()) return "";
    for (const OpenedCollection& one : world_.database()->OpenedCollections()) {
      if (one.name == *name) return one.collection->stats().read_only_reason;
    }
    return "";
  }

  // Whatever fails: what is in memory is answered, and of what isn't nothing wrong.
  std::string CheckAnswers() {
    State& visible = truth_.visible();
    std::set<std::string> names;
    for (const std::string& name : world_.database()->ListCollections()) {
      if (name.starts_with(truth_.prefix())) names.insert(name);
    }
    for (const auto& [name, held] : visible.collections) {
      if (names.erase(name) == 0) return name + " has gone";
    }
    if (!names.empty()) return *names.begin() + " is there";
    for (const OpenedCollection& one : world_.database()->OpenedCollections()) {
      if (!one.name.starts_with(truth_.prefix())) continue;
      const Result<Held> held = world_.ReadHeld(*one.collection);
      if (!held.ok() && one.collection->stats().segments > 0) continue;
      if (!held.ok()) return one.name + ": " + held.status().ToString();
      if (!SameVersions(held->points, visible.collections[one.name].points)) {
        return one.name + " answers wrong";
      }
    }
    return "";
  }

  World& world_;
  Truth& truth_;
  const Faults faults_;
  bool stopped_ = false;
  Status failure_ = OkStatus();
};

// Everything that changes a database, by one thread; `restarts`: with two ends of the process.
inline void WriteScript(Script& script, bool restarts) {
  script.Create("a");
  script.Upsert("a", {0, 1, 2, 3, 4, 5});
  script.Create("b");
  script.Upsert("b", {0, 1, 2, 3});
  script.PointAlias("x", "a");
  script.PointAlias("y", "b");
  script.Bind("a", "m1");
  const Script::Slot first = script.Snapshot("a");
  script.Upsert("x", {3, 4, 5, 6, 7});
  script.DeletePoints("b", {1});
  script.Seal("a");
  script.Upsert("a", {2, 20});
  const Script::Slot second = script.Snapshot("x");
  script.Restore("x", first);
  script.Upsert("x", {7, 9});
  script.ChangeVectors("b", true);
  script.Upsert("b", {1, 2});
  script.Create("c");
  script.Upsert("c", {0, 1});
  script.PointAlias("z", "c");
  script.Delete("c");
  script.Create("c");
  script.Upsert("c", {0, 2});
  script.PointAlias("z", "c");
  if (restarts) script.Restart(false);
  script.Upsert("a", {1, 10});
  script.Upsert("b", {3, 4});
  script.Restore("d", second);
  script.Upsert("d", {1, 2});
  script.RenameAndRemove("x", "w", "z");
  script.Seal("b");
  script.DeletePoints("b", {3});
  script.SnapshotOfAll();
  script.RemoveSnapshot(first);
  if (restarts) script.Restart(true);
  script.Upsert("a", {2, 11});
  script.Restore("b", second);
  script.Upsert("b", {0, 12});
  script.Delete("a");
  script.Create("a");
  script.Upsert("a", {0, 1});
  script.ChangeVectors("a", true);
  script.Upsert("a", {1, 2});
  script.ChangeVectors("a", false);
  script.Upsert("a", {2, 3});
}

}  // namespace akidb::engine::database_life
