#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "cli/bench_chart.h"
#include "cli/bench_data.h"
#include "cli/bench_report.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "env/file_system.h"
#include "env/random.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "bench";
constexpr char kOwnCollection[] = "akidb-bench";
constexpr uint64_t kCompareBytesMax = 16u << 20;
constexpr char kLabel[] = "akidb";

struct BenchArguments {
  std::string file;
  std::string query_file;
  std::string collection;
  std::string vector;
  std::string metric = "cosine";
  std::string filter;
  std::string label = kLabel;
  std::string title = "Recall against speed";
  std::string svg;
  std::string json;
  std::vector<std::string> compare;
  std::vector<double> selectivity;  // percent
  std::vector<uint64_t> efs = {10, 16, 25, 40, 64, 100, 160, 250, 400, 640};
  Place place;
  uint32_t dim = 0;
  uint64_t rows = 0;
  size_t queries = 1000;
  uint64_t seed = 1;
  size_t k = 10;
  size_t threads = 1;
  size_t rounds = 5;
  bool keep = false;
  bool step = false;
  bool quiet = false;
};

Status Wrong(const std::string& message) { return InvalidArgumentError(message); }

Status CheckArguments(const BenchArguments& arguments, env::FileSystem& fs) {
  if (arguments.file.empty() && arguments.collection.empty() && arguments.compare.empty()) {
    return Wrong("give a FILE of vectors, or a --collection, or results to --compare");
  }
  for (double percent : arguments.selectivity) {
    if (!(percent > 0 && percent <= 100)) {
      return Wrong(fmt::format("--selectivity {}: expected percents above 0, up to 100", percent));
    }
  }
  // Told before minutes are spent.
  for (const std::string& path : {arguments.svg, arguments.json}) {
    if (path.empty()) continue;
    AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(env::DirectoryOf(path)));
    if (!exists) return Wrong(path + ": there is no such folder to write it to");
  }
  return OkStatus();
}

// A folder of its own, removed with all that is in it.
class ScratchFolder {
 public:
  explicit ScratchFolder(env::FileSystem& fs) : fs_(fs) {
    const char* parent = std::getenv("TMPDIR");
    path_ = env::JoinPath(parent == nullptr || *parent == '\0' ? "/tmp" : parent,
                          fmt::format("akidb-bench-{:016x}", env::MakeSystemRandom()->Next()));
  }
  ~ScratchFolder() { (void)fs_.RemoveAll(path_).ok(); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  env::FileSystem& fs_;
  std::string path_;
};

// Goes on when there is no more to read.
void WaitForALine() {
  for (int c = std::getchar(); c != '\n' && c != EOF; c = std::getchar()) {
  }
}

// To whoever reads as it comes.
void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// One run, from the file or collection to what was measured. What it made is removed with it.
class Bench {
 public:
  Bench(const BenchArguments& arguments, const FilterReader& read_filter, env::FileSystem& fs)
      : arguments_(arguments), read_filter_(read_filter), fs_(fs), scratch_(fs) {}
  ~Bench() {
    if (!dropped_when_done_) return;
    Status dropped = target_->Drop();
    if (!dropped.ok()) Fail(kName, dropped.WithContext("removing " + arguments_.collection));
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Result<BenchReport> Run() {
    report_.options = {arguments_.k, arguments_.efs, arguments_.threads, arguments_.rounds, false};
    std::sort(report_.options.efs.begin(), report_.options.efs.end());
    AKIDB_RETURN_IF_ERROR(arguments_.file.empty() ? OpenStored() : StoreFile());
    AKIDB_RETURN_IF_ERROR(CheckQueries());
    AKIDB_RETURN_IF_ERROR(Measure());
    return std::move(report_);
  }

 private:
  struct Admitted {
    std::string name;
    std::string filter;
  };

  Status Open(const Place& place, const std::string& collection) {
    const bool local = place.url.empty();
    const TargetName name{local ? place.data_dir : place.url, collection, arguments_.vector,
                          place.credentials};
    AKIDB_ASSIGN_OR_RETURN(target_, local
                                        ? OpenLocalTarget(name, {place.create_folder, read_filter_})
                                        : OpenHttpTarget(name));
    report_.options.in_process = local;
    return OkStatus();
  }

  Status OpenStored() {
    AKIDB_RETURN_IF_ERROR(Open(ChosenPlace(arguments_.place), arguments_.collection));
    AKIDB_ASSIGN_OR_RETURN(facts_, target_->Facts());
    report_.data = arguments_.collection;
    if (!arguments_.query_file.empty()) return ReadQueries(facts_.dim);
    AKIDB_ASSIGN_OR_RETURN(queries_, SampleQueries(*target_, arguments_.queries, arguments_.seed));
    return OkStatus();
  }

  Status StoreFile() {
    const std::optional<Metric> metric = ParseMetric(MetricTitle());
    if (!metric) return Wrong("--metric: expected cosine, dot, euclid or manhattan");
    AKIDB_ASSIGN_OR_RETURN(VectorTable table,
                           ReadVectors(fs_, {arguments_.file, arguments_.dim, arguments_.rows}));
    if (!arguments_.query_file.empty()) {
      AKIDB_RETURN_IF_ERROR(ReadQueries(table.dim));
    } else {
      const size_t count = std::clamp<size_t>(table.rows() / 10, 1, arguments_.queries);
      if (table.rows() <= arguments_.k + 1) {
        return Wrong(
            fmt::format("{}: {} rows are too few to look for {} nearest; at least {} are "
                        "needed",
                        arguments_.file, table.rows(), arguments_.k, arguments_.k + 2));
      }
      queries_.vectors = DrawRows(table, count, arguments_.seed);
    }
    Place place = arguments_.place;
    if (place.url.empty() && place.data_dir.empty()) place.data_dir = scratch_.path();
    place.create_folder = true;
    const std::string name = arguments_.collection.empty() ? kOwnCollection : arguments_.collection;
    AKIDB_RETURN_IF_ERROR(Open(ChosenPlace(place), name));
    AKIDB_RETURN_IF_ERROR(Fill(name, table, *metric));
    report_.data = arguments_.file.substr(arguments_.file.rfind('/') + 1);
    return OkStatus();
  }

  // Stores the rows, unless they are there from another run.
  Status Fill(const std::string& name, const VectorTable& table, Metric metric) {
    Result<TargetFacts> found = target_->Facts();
    if (found.ok()) {
      if (!arguments_.keep) {
        return AlreadyExistsError(fmt::format(
            "there is a collection {} at {}; name another one with --collection, or measure it as "
            "it is with --keep",
            name, target_->place()));
      }
      if (found->points != table.rows() || found->dim != table.dim || found->metric != metric) {
        return Wrong(
            fmt::format("the collection {} at {} doesn't hold these {} rows; name another "
                        "one with --collection",
                        name, target_->place(), table.rows()));
      }
      facts_ = *found;
      return OkStatus();
    }
    if (found.status().code() != ErrorCode::kNotFound) return found.status();
    AKIDB_RETURN_IF_ERROR(target_->Create(table.dim, metric));
    dropped_when_done_ = !arguments_.keep;
    {
      Progress progress("points", arguments_.quiet, std::chrono::steady_clock::now());
      AKIDB_RETURN_IF_ERROR(StoreRows({*target_, progress, arguments_.seed}, table));
    }
    AKIDB_ASSIGN_OR_RETURN(facts_, target_->Facts());
    return OkStatus();
  }

  Status ReadQueries(uint32_t dim) {
    AKIDB_ASSIGN_OR_RETURN(queries_.vectors,
                           ReadVectors(fs_, {arguments_.query_file, dim, arguments_.queries}));
    return OkStatus();
  }

  Status CheckQueries() {
    if (facts_.points >= arguments_.k + (queries_.own.empty() ? 0 : 1)) return OkStatus();
    return Wrong(
        fmt::format("{} points are too few to look for {} nearest", facts_.points, arguments_.k));
  }

  std::vector<Admitted> Filters() const {
    std::vector<Admitted> filters = {{arguments_.label, ""}};
    if (!arguments_.filter.empty()) {
      filters.push_back({arguments_.label + ", filtered", arguments_.filter});
    }
    for (double percent : arguments_.selectivity) {
      const double below = std::round(percent / 100 * static_cast<double>(kShareEnd));
      filters.push_back({fmt::format("{}, {} % pass", arguments_.label, percent),
                         fmt::format(R"({{"must":[{{"key":"{}","range":{{"lt":{}}}}}]}})",
                                     kShareField, std::max(below, 1.0))});
    }
    return filters;
  }

  Status Measure() {
    const std::vector<Admitted> filters = Filters();
    Progress progress("queries", arguments_.quiet, std::chrono::steady_clock::now());
    SweepProgress steps(progress,
                        QueriesOf(report_.options, queries_.vectors.rows(), filters.size()));
    const SweepParts parts{*target_, queries_, report_.options, steps};
    std::vector<Sweep> sweeps;
    for (const Admitted& admitted : filters) {
      AKIDB_RETURN_IF_ERROR(Use(admitted.filter));
      AKIDB_ASSIGN_OR_RETURN(std::vector<Truth> truth, FindTruth(parts));
      sweeps.emplace_back(parts, std::move(truth));
    }
    for (size_t round = 1; round <= arguments_.rounds; ++round) {
      if (arguments_.step) WaitForALine();
      for (size_t i = 0; i < sweeps.size(); ++i) {
        AKIDB_RETURN_IF_ERROR(Use(filters[i].filter));
        AKIDB_RETURN_IF_ERROR(sweeps[i].Round());
      }
      if (arguments_.step) Say(fmt::format("round {} of {}", round, arguments_.rounds));
    }
    for (size_t i = 0; i < sweeps.size(); ++i) {
      report_.series.push_back({filters[i].name, sweeps[i].Points()});
    }
    report_.points = facts_.points;
    report_.dim = facts_.dim;
    report_.metric = MetricName(facts_.metric);
    report_.queries = queries_.vectors.rows();
    report_.seed = arguments_.seed;
    return OkStatus();
  }

  Status Use(const std::string& filter) {
    Status used = target_->UseFilter(filter);
    return used.ok() ? used : used.WithContext("--filter");
  }

  // "cosine" -> "Cosine", as the dialect has it.
  std::string MetricTitle() const {
    std::string title = arguments_.metric;
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] -= 'a' - 'A';
    return title;
  }

  const BenchArguments& arguments_;
  const FilterReader& read_filter_;
  env::FileSystem& fs_;
  ScratchFolder scratch_;
  std::unique_ptr<BenchTarget> target_;
  bool dropped_when_done_ = false;
  TargetFacts facts_;
  BenchQueries queries_;
  BenchReport report_;
};

Status WriteText(env::FileSystem& fs, const std::string& path, const std::string& text) {
  return env::WriteFileAtomically(fs, path, std::as_bytes(std::span(text)));
}

// The series of other runs and programs.
Result<std::vector<BenchSeries>> ReadCompared(const BenchArguments& arguments,
                                              env::FileSystem& fs) {
  std::vector<BenchSeries> all;
  for (const std::string& path : arguments.compare) {
    AKIDB_ASSIGN_OR_RETURN(std::string text, env::ReadWholeFile(fs, path, kCompareBytesMax));
    Result<std::vector<BenchSeries>> series = ReadSeries(text);
    if (!series.ok()) return series.status().WithContext(path);
    std::move(series->begin(), series->end(), std::back_inserter(all));
  }
  return all;
}

Status Write(const BenchArguments& arguments, env::FileSystem& fs, const BenchReport& report,
             const std::vector<BenchSeries>& series) {
  if (!arguments.json.empty() && !report.series.empty()) {
    AKIDB_RETURN_IF_ERROR(WriteText(fs, arguments.json, ReportJson(report)));
  }
  if (arguments.svg.empty()) return OkStatus();
  ChartText text{arguments.title, report.series.empty() ? "" : ReportTitle(report), arguments.k};
  return WriteText(fs, arguments.svg, DrawChart(series, text));
}

int RunBench(const BenchArguments& arguments, const FilterReader& read_filter) {
  InterruptGuard guard;
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  Status checked = CheckArguments(arguments, *fs);
  if (!checked.ok()) {
    Fail(kName, checked);
    return kExitUsage;
  }
  Result<std::vector<BenchSeries>> compared = ReadCompared(arguments, *fs);
  if (!compared.ok()) return Fail(kName, compared.status());
  BenchReport report;
  if (!arguments.file.empty() || !arguments.collection.empty()) {
    Result<BenchReport> measured = Bench(arguments, read_filter, *fs).Run();
    if (!measured.ok()) return Fail(kName, measured.status());
    report = std::move(*measured);
    std::fputs(ReportText(report).c_str(), stdout);
  }
  std::vector<BenchSeries> series = report.series;
  std::move(compared->begin(), compared->end(), std::back_inserter(series));
  if (series.size() > 1) {
    std::printf("%s%s", report.series.empty() ? "" : "\n", ComparisonText(series).c_str());
  }
  Status written = Write(arguments, *fs, report, series);
  return written.ok() ? kExitOk : Fail(kName, written);
}

void AddDataOptions(CLI::App& command, BenchArguments& arguments) {
  command
      .add_option(
          "FILE", arguments.file,
          "vectors (.f32, .fvecs, .npy) to measure with: a tenth, at most --queries, is asked, the "
          "others are stored, without --url and --data-dir in a folder that is removed again")
      ->type_name("");
  command.add_option("--dim", arguments.dim, "dimensions of a .f32 file")
      ->type_name("N")
      ->check(CLI::Range(1u, kDimMax));
  command.add_option("--rows", arguments.rows, "no more rows of FILE than that; default: all")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--metric", arguments.metric,
                  "of FILE: cosine, dot, euclid, manhattan; default: cosine")
      ->type_name("METRIC");
  command
      .add_option("--collection", arguments.collection,
                  "measure this one as it is, asking for the neighbours of its own points; with "
                  "FILE: the name of the one to make, default: akidb-bench")
      ->type_name("NAME");
  command
      .add_option("--vector", arguments.vector, "of its named vectors; default: the unnamed one")
      ->type_name("NAME");
  command.add_option("--query-file", arguments.query_file, "ask for the rows of this file instead")
      ->type_name("FILE");
  command.add_flag("--keep", arguments.keep,
                   "leave the collection made of FILE, and use it again if it is there");
}

void AddSweepOptions(CLI::App& command, BenchArguments& arguments) {
  command.add_option("--queries", arguments.queries, "how many to ask; default: 1000")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--k", arguments.k, "neighbours to look for; default: 10")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000));
  command
      .add_option("--ef", arguments.efs,
                  "candidates to try, from fast to thorough; default: 10,16,25,40,64,100,…,640")
      ->type_name("N,…")
      ->delimiter(',')
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--threads", arguments.threads, "that ask at a time; default: 1")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  command.add_option("--rounds", arguments.rounds, "of which the median counts; default: 5")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command.add_flag("--step", arguments.step,
                   "take turns with another program: before each round wait for a line on standard "
                   "input, and after it say so");
  command.add_option("--seed", arguments.seed, "of the choice of queries; default: 1")
      ->type_name("N");
  command
      .add_option("--filter", arguments.filter,
                  "once more with this filter, as the API takes it: '{\"must\": […]}'")
      ->type_name("JSON");
  command
      .add_option("--selectivity", arguments.selectivity,
                  "once more with filters that so many percent of FILE's points pass: 50,10,1,0.1")
      ->type_name("N,…")
      ->delimiter(',');
}

void AddOutputOptions(CLI::App& command, BenchArguments& arguments) {
  command.add_option("--label", arguments.label, "what to call it beside others; default: akidb")
      ->type_name("NAME");
  command
      .add_option("--compare", arguments.compare,
                  "series of earlier runs and other programs, as --json writes them; may be "
                  "repeated; without FILE and --collection nothing is measured")
      ->type_name("FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--title", arguments.title, "of the picture")->type_name("TEXT");
  command.add_option("--svg", arguments.svg, "draw recall against queries a second")
      ->type_name("FILE");
  command.add_option("--json", arguments.json, "write what was measured")->type_name("FILE");
  command.add_flag("--quiet", arguments.quiet, "no progress");
}

}  // namespace

void AddBenchCommand(CLI::App& app, RunSlot& run, const FilterReader& read_filter) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command =
      app.add_subcommand(kName, "measure recall against speed, of a collection or of a file");
  command->footer(
      "For each ef: the share of the nearest that is found, queries a second, what one takes, and "
      "how many rows\nand bytes of codes, links and vectors it looks at (rows/query, bytes/query; "
      "from the explained plan,\nin a round that is not timed).");
  AddDataOptions(*command, *arguments);
  AddPlaceOptions(*command, arguments->place);
  AddSweepOptions(*command, *arguments);
  AddOutputOptions(*command, *arguments);
  command->callback([&run, arguments, read_filter] {
    run = [arguments, read_filter] { return RunBench(*arguments, read_filter); };
  });
}

}  // namespace akidb::cli
