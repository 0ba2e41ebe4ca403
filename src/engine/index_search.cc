#include "engine/index_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

namespace akidb::engine {
namespace {

// A walk's candidates when the request names no number: recall of 10 at 0.98 and above on real text
// (docs/internals/index.md). Segments of which less was measured take as many more as they need.
constexpr size_t kEfDefault = 100;
constexpr double kRecallDefault = 0.98;
// Vectors compared between two looks whether the answer is still wanted.
constexpr size_t kCheckRows = 1024;
// Who asks for nothing is not left with less than this share because walks find no more.
constexpr double kRecallPoor = 0.9;
// Three spreads: one neighbour in some 740 has its estimate farther off.
constexpr double kScanRecall = 0.9986;
// By which the last candidate of a walk is to be beyond the nearest ones: else estimates may have
// kept others out, and the walk is done again with more candidates.
constexpr float kSpreadsBehind = 1;
// An index is left alone, and so is a graph, where one in so many vectors would be compared.
constexpr size_t kShareMax = 4;
// Vectors of fewer bytes are read as fast as their codes.
constexpr size_t kExactBytesMax = size_t{4} << 20;
// Of so few, faster than a walk takes.
constexpr size_t kExactBytesFew = size_t{256} << 10;
// Compared for each of the nearest, roughly: to guess what is worthwhile.
constexpr size_t kComparedPerHit = 4;
// A walk gives up when it has estimated the distances of one in so many vectors.
constexpr uint64_t kVisitShare = 4;
// And all walks for one query together, of one in so many.
constexpr uint64_t kVisitsShare = 2;
constexpr size_t kChunk = 256;
// Numbers between two looks at the request.
constexpr uint32_t kCheckNumbers = 64 << 10;

// Of candidates that are not in memory, so many are read before anything is known of how near the
// nearest are, and so many at once after that.
constexpr size_t kExpectedFirst = 16;
constexpr size_t kExpectedMax = 256;
// In memory, finer distances take less than that and so much for each.
constexpr std::chrono::nanoseconds kWaitMin{20'000};
constexpr std::chrono::nanoseconds kFinerMax{1'000};

// So many are looked at for each hit, rejected ones included, or fewer where the request's ef has
// fewer: the farther ones are found less surely.
constexpr double kAskedPerHitMax = 4;
// Of candidates that a gate judges, so many times what the admitted share leads to expect: with as
// many as expected, every other walk would have to be done again.
constexpr double kAskedSlack = 1.25;
// A gate that needs so many times more candidates than expected goes against the query.
constexpr size_t kAskedMore = 8;
// A listed number takes up to so many times as long as one in turn.
constexpr uint64_t kCodesShare = 2;
// Where a graph was not measured: a filter that leaves one in so many is answered by a list.
constexpr uint64_t kListShare = 5;

// Where a gate rejects so many times more vectors nearer than the nearest admitted ones than its
// share of all leads to expect, and some, what it admits lies behind what it doesn't: there a walk
// gathers candidates from wherever it gets to first, and stops.
constexpr double kRejectedMax = 2;
constexpr double kRejectedMore = 16;
constexpr size_t kNearestMin = 16;
constexpr double kShareLeast = 0.01;

class NodeGateOf final : public index::NodeGate {
 public:
  NodeGateOf(index::RowGate& gate, const VectorIndex& index) : gate_(gate), index_(index) {}
  bool Admits(uint32_t node) override {
    const bool admits = gate_.Admits(index_.NumberOf(node));
    if (!admits) rejected_.push_back(node);
    return admits;
  }
  std::span<const uint32_t> rejected() const { return rejected_; }
  void Forget() { rejected_.clear(); }

 private:
  index::RowGate& gate_;
  const VectorIndex& index_;
  std::vector<uint32_t> rejected_;  // since Forget
};

}  // namespace

size_t IndexSearch::Wanted() const { return std::min<size_t>(query_.k, index_.codes.count()); }

// Of one number at least.
double IndexSearch::ShareOf(const IndexCandidates& candidates) const {
  return std::max(candidates.admitted_share, 1.0 / static_cast<double>(index_.codes.count()));
}

bool IndexSearch::ListIsFaster(const IndexCandidates& candidates) const {
  const size_t count = index_.codes.count();
  const std::optional<size_t> first = FirstEf();
  if (!first) return true;
  if (index_.recall.points().empty()) return candidates.listed * kListShare <= count;
  auto visits = [&](double of) { return index_.recall.EstimatedAt(static_cast<size_t>(of)); };
  const auto ef = static_cast<double>(std::min(*first, count));
  const double needed = visits(EfToAsk(ef, candidates));
  return static_cast<double>(candidates.listed) <=
         needed * static_cast<double>(index_.recall.visit_cost());
}

double IndexSearch::AskedPerHit(double ef) const {
  return std::clamp(ef / static_cast<double>(Wanted()), 1.0, kAskedPerHitMax);
}

// In proportion, and never fewer than without a gate.
double IndexSearch::EfToAsk(double ef, const IndexCandidates& candidates) const {
  const double among = static_cast<double>(Wanted()) / ShareOf(candidates);
  return std::max(ef, kAskedSlack * AskedPerHit(ef) * among);
}

bool IndexSearch::IsWorthwhile() const {
  const size_t count = index_.codes.count();
  if (query_.k == 0 || query_.k > count / (kComparedPerHit * kShareMax)) return false;
  if (query_.ef == 0 && query_.recall > kScanRecall) return false;
  const size_t bytes = count * query_.vector.size() * sizeof(float);
  if (bytes < kExactBytesFew) return false;
  if (IsByProxy()) return index_.graph.has_value();
  return index_.graph || bytes > kExactBytesMax;
}

Status IndexSearch::Find(const IndexCandidates& candidates, ExactComparison& exact) {
  AKIDB_ASSIGN_OR_RETURN(const bool done, Begin(candidates, exact));
  IndexSearch* self = this;
  return done ? OkStatus() : ScanTogether(context_, {&self, 1});
}

Result<bool> IndexSearch::Begin(const IndexCandidates& candidates, ExactComparison& exact) {
  work_ = {};
  prepared_ =
      index_.section.space->Prepare(IsByProxy() ? Metric::kEuclid : query_.metric, query_.vector);
  if (index_.second && !IsByProxy()) {
    prepared_second_ = index_.second->section.space->Prepare(query_.metric, query_.vector);
  }
  if (MayWalk(candidates)) {
    AKIDB_ASSIGN_OR_RETURN(bool found, Walk(candidates, exact));
    if (found) return true;
  } else {
    compared_.Reset(index_.codes.count());
  }
  if (IsByProxy()) {
    AKIDB_RETURN_IF_ERROR(CompareAll(candidates, exact));
    return true;
  }
  const bool is_short = candidates.list && candidates.listed * kCodesShare <= index_.codes.count();
  // A gate that looks at payloads unpacks blocks of them, each once where it is asked in order.
  const bool gate_is_slow = !candidates.gate_is_open && !candidates.gate_is_fast;
  if (is_short || (gate_is_slow && index_.graph)) {
    AKIDB_RETURN_IF_ERROR(ScanListed(candidates, exact));
    return true;
  }
  left_ = {&candidates, &exact};
  return false;
}

bool IndexSearch::IsByProxy() const { return query_.metric == Metric::kManhattan; }

bool IndexSearch::MayWalk(const IndexCandidates& candidates) const {
  // Estimates that say nothing lead nowhere.
  if (std::isnan(prepared_.base)) return false;
  if (!index_.graph || !(candidates.gate_is_open || candidates.gate_is_fast)) return false;
  return !candidates.list || !ListIsFaster(candidates);
}

std::optional<size_t> IndexSearch::FirstEf() const {
  if (query_.ef > 0) return std::max(query_.ef, query_.k);
  const double recall = query_.recall > 0 ? query_.recall : kRecallDefault;
  const index::RecallElsewhere& elsewhere = index_.recall.elsewhere();
  // What is asked for holds for any query; who asks for nothing pays for the likely ones.
  const index::RecallKind kind = query_.recall > 0 || elsewhere.expected
                                     ? index::RecallKind::kPromise
                                     : index::RecallKind::kMean;
  const std::optional<size_t> enough = index_.recall.EfFor(recall, query_.k, kind);
  if (query_.recall == 0) {
    // Where nothing was seen to be enough, the most that was tried, if that is worth a walk.
    const bool is_measured = !index_.recall.points().empty();
    if (is_measured && !index_.recall.EfFor(kRecallPoor, query_.k, kind)) return std::nullopt;
    const size_t most = is_measured ? index_.recall.points().back().ef : 0;
    return std::max({kEfDefault, query_.k, enough.value_or(most)});
  }
  if (!enough) return std::nullopt;
  // An older program measured only queries between rows. Those of inner products often lie
  // elsewhere, and find less: they get no less than those that ask for nothing.
  const bool is_unknown = query_.metric == Metric::kDot && elsewhere.recall.empty();
  const size_t least = is_unknown ? kEfDefault : 0;
  return std::max({*enough, query_.k, least});
}

Result<bool> IndexSearch::Walk(const IndexCandidates& candidates, ExactComparison& exact) {
  const size_t count = index_.codes.count();
  compared_.Reset(index_.codes.count());
  const std::optional<size_t> first = FirstEf();
  if (!first) return false;
  AKIDB_RETURN_IF_ERROR(CompareLong(candidates, exact));
  ef_least_ = std::min(*first, count);
  const size_t ef = IsByProxy() ? std::max(ef_least_ / 2, std::min(query_.k, count)) : ef_least_;
  work_.way = candidates.gate_is_open ? SearchWay::kGraph : SearchWay::kFilteredGraph;
  visits_left_ = count / kVisitsShare;
  if (candidates.list) {
    // All walks together shall cost no more than the list that they were preferred to.
    visits_left_ = static_cast<uint64_t>(static_cast<double>(candidates.listed) /
                                         static_cast<double>(index_.recall.visit_cost()));
  }
  AKIDB_ASSIGN_OR_RETURN(Outcome outcome, WalkThenAsk(candidates, ef, exact));
  if (outcome == Outcome::kLieBehind) {
    AKIDB_ASSIGN_OR_RETURN(outcome, WalkGated(candidates, ef, exact));
  }
  // The curve's own walks went on in the same way.
  work_.recall = index_.recall.RecallAt(*first, query_.k);
  return outcome == Outcome::kFound;
}

Status IndexSearch::CompareLong(const IndexCandidates& candidates, ExactComparison& exact) {
  std::vector<uint32_t> nodes;
  for (uint32_t number : index_.long_rows) {
    if (!candidates.gate_is_open && !candidates.gate.Admits(number)) continue;
    nodes.push_back(index_.NodeOf(number));
  }
  if (nodes.empty()) return OkStatus();
  if (index_.second) {
    AKIDB_ASSIGN_OR_RETURN(std::vector<Near> near, Refine(nodes));
    return CompareNear(std::move(near), exact);
  }
  std::vector<float> distances(nodes.size());
  index_.codes.Distances(prepared_, nodes, distances.data());
  work_.estimated += nodes.size();
  work_.bytes += nodes.size() * index_.codes.space().row_bytes();
  std::vector<Near> near;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const float least = distances[i] - kSpreads * index_.codes.Spread(prepared_, nodes[i]);
    near.push_back({std::isfinite(least) ? least : -std::numeric_limits<float>::infinity(),
                    index_.NumberOf(nodes[i])});
  }
  return CompareNear(std::move(near), exact);
}

Result<bool> IndexSearch::WalkOnce(index::GraphWalk& walk, size_t ef, index::NodeGate* gate) {
  index::WalkOptions options;
  options.ef = static_cast<uint32_t>(ef);
  options.gate = gate;
  if (query_.without) options.without = index_.NodeOf(*query_.without);
  options.visits_max = std::min<uint64_t>(visits_left_, index_.codes.count() / kVisitShare);
  AKIDB_ASSIGN_OR_RETURN(bool complete,
                         walk.Run(context_, {*index_.graph, index_.codes, prepared_}, options));
  NoteWalk(ef, walk.visits(), walk.expansions());
  visits_left_ -= std::min(visits_left_, walk.visits());
  return complete;
}

void IndexSearch::NoteWalk(size_t ef, uint64_t visits, uint64_t expansions) {
  work_.ef = ef;
  ++work_.walks;
  work_.estimated += visits;
  work_.bytes += visits * index_.section.space->row_bytes() +
                 expansions * index_.graph->degree * sizeof(uint32_t);
}

// What estimates of another distance say of this one can't be bounded: there, a walk that finds
// nothing nearer than the one before with half as many candidates was the last.
bool IndexSearch::ReachesFarEnough(std::span<const index::Candidate> found, size_t ef,
                                   const Bounds& bounds) const {
  if (found.size() < ef) return true;
  if (ef < ef_least_) return false;
  if (IsByProxy()) return bounds.after >= bounds.before;
  const index::Candidate& last = found.back();
  const float spread = index_.codes.Spread(prepared_, last.node);
  return last.distance - kSpreadsBehind * spread > bounds.after;
}

Result<IndexSearch::Outcome> IndexSearch::WalkThenAsk(const IndexCandidates& candidates, size_t ef,
                                                      ExactComparison& exact) {
  const size_t count = index_.codes.count();
  const double per_hit = AskedPerHit(static_cast<double>(ef));
  size_t ef_max = count / kShareMax;
  if (!candidates.gate_is_open) {
    ef = static_cast<size_t>(EfToAsk(static_cast<double>(ef), candidates));
    ef_max = std::min(ef_max, kAskedMore * ef);
  }
  index::GraphWalk walk;
  while (ef <= ef_max) {
    AKIDB_ASSIGN_OR_RETURN(bool complete, WalkOnce(walk, ef, nullptr));
    if (!complete) return Outcome::kTooMany;
    const Asked asked = Ask(walk.found(), candidates);
    if (asked.among && static_cast<double>(*asked.among) * per_hit <= static_cast<double>(ef)) {
      const float before = exact.bound();
      AKIDB_RETURN_IF_ERROR(CompareFound(asked.admitted, exact));
      if (ReachesFarEnough(walk.found(), ef, {before, exact.bound()})) return Outcome::kFound;
    } else if (walk.found().size() < ef) {
      // The walk has seen all that there is to be reached.
      return Outcome::kLieBehind;
    }
    ef *= 2;
    // The next walk would hardly come to an end.
    if (index_.recall.EstimatedAt(ef) > static_cast<double>(visits_left_)) return Outcome::kTooMany;
  }
  return candidates.gate_is_open ? Outcome::kTooMany : Outcome::kLieBehind;
}

IndexSearch::Asked IndexSearch::Ask(std::span<const index::Candidate> found,
                                    const IndexCandidates& candidates) {
  const size_t wanted = Wanted();
  if (candidates.gate_is_open) {
    return {found, found.size() < wanted ? std::nullopt : std::optional<size_t>(0)};
  }
  admitted_.clear();
  for (const index::Candidate& candidate : found) {
    if (candidates.gate.Admits(index_.NumberOf(candidate.node))) admitted_.push_back(candidate);
  }
  if (admitted_.size() < wanted) return {admitted_, std::nullopt};
  const auto behind = std::upper_bound(found.begin(), found.end(), admitted_[wanted - 1]);
  return {admitted_, static_cast<size_t>(behind - found.begin())};
}

Result<IndexSearch::Outcome> IndexSearch::WalkGated(const IndexCandidates& candidates, size_t ef,
                                                    ExactComparison& exact) {
  NodeGateOf gate(candidates.gate, index_);
  index::GraphWalk walk;
  for (; ef <= index_.codes.count() / kShareMax; ef *= 2) {
    gate.Forget();
    AKIDB_ASSIGN_OR_RETURN(bool complete, WalkOnce(walk, ef, &gate));
    const std::span<const index::Candidate> found = walk.found();
    if (!complete || found.size() < std::min(ef, query_.k)) return Outcome::kTooMany;
    if (LieBehind(found, gate.rejected(), candidates.admitted_share)) return Outcome::kTooMany;
    const float before = exact.bound();
    AKIDB_RETURN_IF_ERROR(CompareFound(found, exact));
    if (ReachesFarEnough(found, ef, {before, exact.bound()})) return Outcome::kFound;
  }
  return Outcome::kTooMany;
}

bool IndexSearch::LieBehind(std::span<const index::Candidate> found,
                            std::span<const uint32_t> rejected, double admitted_share) const {
  if (rejected.empty() || found.empty()) return false;
  const size_t nearest = std::min(std::max(query_.k, kNearestMin), found.size());
  const double expected =
      static_cast<double>(nearest) * (1 / std::max(admitted_share, kShareLeast) - 1);
  std::vector<float> distances(rejected.size());
  index_.codes.Distances(prepared_, rejected, distances.data());
  const auto nearer = std::count_if(distances.begin(), distances.end(), [&](float distance) {
    return distance < found[nearest - 1].distance;
  });
  return static_cast<double>(nearer) > kRejectedMax * expected + kRejectedMore;
}

Status IndexSearch::Compare(uint32_t number, ExactComparison& exact) {
  if (!compared_.Add(number)) return OkStatus();
  // Where codes can't tell rows apart, that may be all of them.
  if (++work_.compared % kCheckRows == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
  work_.bytes += query_.vector.size_bytes();
  return exact.Compare(number);
}

// Nearest first, so that the bound falls early.
Status IndexSearch::CompareFound(std::span<const index::Candidate> found, ExactComparison& exact) {
  if (index_.second && !IsByProxy()) {
    std::vector<uint32_t> nodes;
    for (const index::Candidate& candidate : found) nodes.push_back(candidate.node);
    AKIDB_ASSIGN_OR_RETURN(std::vector<Near> near, Refine(nodes));
    return CompareNear(std::move(near), exact);
  }
  auto least = [&](size_t i) {
    if (IsByProxy()) return -std::numeric_limits<float>::infinity();
    return found[i].distance - kSpreads * index_.codes.Spread(prepared_, found[i].node);
  };
  auto near = [&](size_t i) { return Near{least(i), index_.NumberOf(found[i].node)}; };
  size_t expected = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (i >= expected && exact.may_be_cold()) {
      AKIDB_ASSIGN_OR_RETURN(expected, Expect(i, found.size(), near, exact));
    }
    if (least(i) > exact.bound()) continue;
    AKIDB_RETURN_IF_ERROR(Compare(index_.NumberOf(found[i].node), exact));
  }
  return OkStatus();
}

Result<size_t> IndexSearch::Expect(size_t first, size_t count,
                                   const std::function<Near(size_t)>& candidate,
                                   ExactComparison& exact) const {
  // The first ones are compared for certain; how near they are says who else will be.
  const size_t batch = first == 0 ? std::max(query_.k, kExpectedFirst) : kExpectedMax;
  std::vector<uint32_t> numbers;
  size_t i = first;
  for (; i < count && numbers.size() < batch; ++i) {
    const Near near = candidate(i);
    if (near.least <= exact.bound()) numbers.push_back(near.number);
  }
  AKIDB_RETURN_IF_ERROR(context_.Check());
  AKIDB_RETURN_IF_ERROR(exact.Expect(numbers));
  return i;
}

Status IndexSearch::CompareNear(std::vector<Near> near, ExactComparison& exact) {
  std::sort(near.begin(), near.end());
  size_t expected = 0;
  for (size_t i = 0; i < near.size() && near[i].least <= exact.bound(); ++i) {
    if (i >= expected && exact.may_be_cold()) {
      AKIDB_ASSIGN_OR_RETURN(expected,
                             Expect(
                                 i, near.size(), [&](size_t j) { return near[j]; }, exact));
    }
    AKIDB_RETURN_IF_ERROR(Compare(near[i].number, exact));
  }
  return OkStatus();
}

Status IndexSearch::FinerDistances(std::span<const uint32_t> nodes, float* distances) const {
  SectionFetch* fetch = index_.second->fetch.get();
  for (size_t first = 0; first < nodes.size(); first += kExpectedMax) {
    const auto some = nodes.subspan(first, std::min(kExpectedMax, nodes.size() - first));
    if (fetch != nullptr && fetch->may_be_cold()) {
      AKIDB_RETURN_IF_ERROR(context_.Check());
      AKIDB_RETURN_IF_ERROR(fetch->Fetch(some));
    }
    const auto start = std::chrono::steady_clock::now();
    index_.second->codes.Distances(prepared_second_, some, distances + first);
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    if (fetch != nullptr && took > kWaitMin + some.size() * kFinerMax) fetch->Suspect();
  }
  return OkStatus();
}

Result<std::vector<Near>> IndexSearch::Refine(std::span<const uint32_t> nodes) {
  const index::CodeArray& finer = index_.second->codes;
  std::vector<float> distances(nodes.size());
  AKIDB_RETURN_IF_ERROR(FinerDistances(nodes, distances.data()));
  work_.estimated += nodes.size();
  work_.bytes += nodes.size() * finer.space().row_bytes();
  std::vector<Near> near;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const float least = distances[i] - kSpreads * finer.Spread(prepared_second_, nodes[i]);
    near.push_back({std::isfinite(least) ? least : -std::numeric_limits<float>::infinity(),
                    index_.NumberOf(nodes[i])});
  }
  return near;
}

Status IndexSearch::CompareAll(const IndexCandidates& candidates, ExactComparison& exact) {
  const bool by_list = static_cast<bool>(candidates.list);
  const std::vector<uint32_t> list = by_list ? candidates.list() : std::vector<uint32_t>();
  const uint32_t count = by_list ? static_cast<uint32_t>(list.size()) : index_.codes.count();
  work_.way = by_list ? SearchWay::kListedVectors : SearchWay::kVectors;
  work_.recall = 1;
  for (uint32_t i = 0; i < count; ++i) {
    if (i % kCheckNumbers == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    if (by_list && i % kExpectedMax == 0 && exact.may_be_cold()) {
      AKIDB_RETURN_IF_ERROR(context_.Check());
      const std::span<const uint32_t> rest = std::span(list).subspan(i);
      AKIDB_RETURN_IF_ERROR(exact.Expect(rest.first(std::min(kExpectedMax, rest.size()))));
    }
    const uint32_t number = by_list ? list[i] : i;
    if (candidates.gate.Admits(number)) AKIDB_RETURN_IF_ERROR(Compare(number, exact));
  }
  return OkStatus();
}

CodeScan IndexSearch::NewScan(const IndexCandidates& candidates, const ExactComparison& exact) {
  return {index_, {prepared_, query_.k, candidates.gate, exact.bound()}};
}

void IndexSearch::NoteScan(SearchWay way, uint64_t codes) {
  work_.way = way;
  work_.recall = kScanRecall;
  work_.estimated += codes;
  work_.bytes += codes * index_.codes.space().row_bytes();
}

Status IndexSearch::ScanListed(const IndexCandidates& candidates, ExactComparison& exact) {
  std::vector<uint32_t> list;
  if (candidates.list) {
    list = candidates.list();
  } else {
    list.resize(index_.codes.count());
    std::iota(list.begin(), list.end(), 0);
  }
  NoteScan(candidates.list ? SearchWay::kListedCodes : SearchWay::kCodes, list.size());
  CodeScan scan = NewScan(candidates, exact);
  std::array<float, kChunk> distances;
  std::array<uint32_t, kChunk> nodes;
  for (size_t first = 0; first < list.size(); first += kChunk) {
    if (first % kCheckNumbers == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    const size_t count = std::min(kChunk, list.size() - first);
    for (size_t i = 0; i < count; ++i) nodes[i] = index_.NodeOf(list[first + i]);
    const std::span<const uint32_t> chunk = std::span(nodes).first(count);
    index_.codes.Distances(prepared_, chunk, distances.data());
    scan.Offer(chunk, std::span(distances).first(count), index_.codes.LargestFactors(chunk));
  }
  return CompareScanned(scan, exact);
}

Status IndexSearch::ScanTogether(const RequestContext& context,
                                 std::span<IndexSearch* const> searches) {
  std::vector<CodeScan> scans;
  scans.reserve(searches.size());
  for (IndexSearch* search : searches) {
    search->NoteScan(SearchWay::kCodes, search->index_.codes.count());
    scans.push_back(search->NewScan(*search->left_.candidates, *search->left_.exact));
  }
  AKIDB_RETURN_IF_ERROR(ScanAllCodes(context, searches.front()->index_, scans));
  for (size_t i = 0; i < searches.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(searches[i]->CompareScanned(scans[i], *searches[i]->left_.exact));
  }
  return OkStatus();
}

Status IndexSearch::CompareScanned(CodeScan& scan, ExactComparison& exact) {
  const bool kept_all = scan.kept_all();
  std::vector<Near> near = scan.Take();
  // Fewer than are wanted are all compared.
  if (kept_all && near.size() <= query_.k) work_.recall = 1;
  if (index_.second) {
    std::vector<uint32_t> found;
    for (const Near& candidate : near) found.push_back(index_.NodeOf(candidate.number));
    AKIDB_ASSIGN_OR_RETURN(near, Refine(found));
  }
  return CompareNear(std::move(near), exact);
}

}  // namespace akidb::engine
