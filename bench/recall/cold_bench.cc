// How long a query takes whose vectors are not in memory: rows, and the second codes of the compact
// mode, are dropped from the page cache before each query; first codes and graph stay.
//
//   cold_bench FILE DIM folder=FOLDER [rows=60000] [queries=100] [memory=balanced|compact] [k=10]
//
// FILE as of recall_bench. The rows are stored in a collection under FOLDER, which is kept for
// later runs. Four copies of it are opened, which read one by one as pages are touched, with as
// much around them as the device's read-ahead says and without (MADV_RANDOM), ahead (madvise), and
// through io_uring; each query is asked of all four in turn. Wall time, because it is waiting that
// is measured; processor time beside it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/alarms.h"
#include "engine/collection.h"
#include "engine/forwarding_file_system.h"
#include "engine/vector_index.h"
#include "recall_data.h"
#include "simd/kernels.h"
#include "storage/segment/section_file_format.h"

namespace akidb {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPages = "faults, page";

double Microseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

// Never reads ahead: each vector is read when it is touched.
class OneByOne final : public engine::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Result<std::unique_ptr<env::MappedFile>> Map(const std::string& path) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> map, ForwardingFileSystem::Map(path));
    return std::unique_ptr<env::MappedFile>(std::make_unique<Mapped>(std::move(map)));
  }

 private:
  class Mapped final : public env::MappedFile {
   public:
    explicit Mapped(std::unique_ptr<env::MappedFile> truth) : truth_(std::move(truth)) {}
    std::span<const std::byte> bytes() const override { return truth_->bytes(); }
    Result<size_t> Fetch(std::span<const env::FileRange>) const override { return size_t{0}; }
    void Release(env::FileRange range) const override { truth_->Release(range); }

   private:
    const std::unique_ptr<env::MappedFile> truth_;
  };
};

struct World {
  engine::CollectionOptions Options(const std::string& folder) const {
    engine::CollectionOptions options;
    options.directory = folder + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    return options;
  }
  engine::CollectionEnvironment Parts(env::FileSystem& files, bool merges) {
    return {.fs = files,
            .random = *random,
            .background = background,
            .log = *log,
            .reserve = nullptr,
            .optimizer = merges ? &optimizer : nullptr,
            .alarms = merges ? &alarms : nullptr,
            .indexer = indexer.get()};
  }

  std::unique_ptr<env::Random> random = env::MakeSystemRandom();
  std::unique_ptr<Logger> log = MakeStderrLogger(LogLevel::kWarning);
  env::ManualClock clock;
  engine::Alarms alarms{clock};
  Executor background{ExecutorOptions{.name = "background"}};
  Executor optimizer{ExecutorOptions{.name = "optimizer"}};
  std::unique_ptr<engine::SegmentIndexer> indexer = engine::MakeVectorIndexer({.threads = 2}, *log);
};

void CheckOk(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

DenseVector VectorOf(std::span<const float> values) {
  return DenseVector(values.begin(), values.end());
}

void Make(World& world, const std::string& folder, const bench::Data& data,
          const std::string& memory) {
  fs::create_directories(folder);
  CollectionConfig config;
  config.vectors[""] = {.dim = data.dim, .metric = Metric::kCosine};
  config.echoed_json["metadata"] = R"({"akidb":{"memory":")" + memory + "\"}}";
  auto files = env::MakePosixFileSystem();
  auto made = engine::Collection::Create(world.Options(folder), config, world.Parts(*files, true));
  CheckOk(made.status());
  std::shared_ptr<engine::Collection> collection = *made;
  RequestContext context;
  for (size_t first = 0; first < data.rows; first += 500) {
    std::vector<Point> points;
    for (size_t i = first; i < std::min<size_t>(first + 500, data.rows); ++i) {
      Point point;
      point.id = PointId(i);
      point.vectors = {{"", VectorOf(data.row(i))}};
      points.push_back(std::move(point));
    }
    CheckOk(collection->Upsert(context, std::move(points)).status());
  }
  CheckOk(collection->Seal());
  world.clock.Advance(std::chrono::seconds(20));
  CheckOk(collection->Merge());
}

// What of a segment's file a query reads at random, by its footer (docs/format/segment.md).
std::vector<env::FileRange> ColdParts(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  auto read = [&](uint64_t offset, uint64_t bytes) {
    std::vector<std::byte> out(bytes);
    in.seekg(static_cast<std::streamoff>(offset));
    in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(bytes));
    return out;
  };
  const auto trailer = storage::DecodeSectionFileTrailer(read(
      fs::file_size(path) - storage::kSectionFileTrailerBytes, storage::kSectionFileTrailerBytes));
  const auto footer =
      storage::DecodeSectionFileFooter(read(trailer->footer_offset, trailer->footer_bytes));
  std::vector<env::FileRange> parts;
  for (const storage::SectionEntry& section : footer->sections) {
    const bool cold = section.key.id == storage::SectionId::kRows ||
                      section.key.id == storage::SectionId::kSecondCodes;
    if (cold) parts.push_back({section.offset / 4096 * 4096, section.bytes + 4096});
  }
  return parts;
}

struct Way {
  const char* name;
  env::FileSystem& files;
};

// A copy of the collection, read in one of the ways.
class Reader {
 public:
  // Of the collection under `base`, into `folder`.
  Reader(World& world, const Way& way, const std::string& base, const std::string& folder)
      : name_(way.name) {
    fs::remove_all(folder);
    fs::copy(base, folder, fs::copy_options::recursive);
    auto opened = engine::Collection::Open(world.Options(folder), world.Parts(way.files, false));
    CheckOk(opened.status());
    collection_ = *opened;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".seg") segments_.push_back(entry.path().string());
    }
    sync();
  }

  void Drop() const {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      for (const std::string& path : segments_) {
        if (!line.ends_with(path)) continue;
        uintptr_t begin = std::strtoull(line.c_str(), nullptr, 16);
        const int file = open(path.c_str(), O_RDONLY);
        for (const env::FileRange& part : ColdParts(path)) {
          void* address = reinterpret_cast<void*>(begin + part.offset);
          madvise(address, part.bytes, MADV_DONTNEED);
          if (std::string(name_) == kPages) madvise(address, part.bytes, MADV_RANDOM);
          posix_fadvise(file, static_cast<off_t>(part.offset), static_cast<off_t>(part.bytes),
                        POSIX_FADV_DONTNEED);
        }
        close(file);
      }
    }
  }
  std::vector<Hit> Ask(const DenseVector& query, size_t k, bool exact) {
    engine::SearchRequest request;
    request.query = query;
    request.limit = k;
    request.exact = exact;
    request.with_payload = PayloadSelector::None();
    RequestContext context;
    rusage before{};
    getrusage(RUSAGE_THREAD, &before);
    const double wall = Microseconds(CLOCK_MONOTONIC);
    const double cpu = Microseconds(CLOCK_THREAD_CPUTIME_ID);
    auto hits = collection_->Search(context, request);
    cpu_.push_back(Microseconds(CLOCK_THREAD_CPUTIME_ID) - cpu);
    wall_.push_back(Microseconds(CLOCK_MONOTONIC) - wall);
    rusage after{};
    getrusage(RUSAGE_THREAD, &after);
    faults_.push_back(static_cast<double>(after.ru_majflt - before.ru_majflt));
    kilobytes_.push_back(static_cast<double>(after.ru_inblock - before.ru_inblock) / 2);
    CheckOk(hits.status());
    return *hits;
  }
  void Report(const char* phase) {
    auto at = [](std::vector<double>& values, double share) {
      std::sort(values.begin(), values.end());
      return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
    };
    std::printf(
        "%-28s %-12s median %9.0f us  p99 %9.0f us  cpu %7.0f us  faults %4.0f  read %7.0f kB\n",
        phase, name_, at(wall_, 0.5), at(wall_, 0.99), at(cpu_, 0.5), at(faults_, 0.5),
        at(kilobytes_, 0.5));
    std::fflush(stdout);
    Forget();
  }
  void Forget() {
    for (auto* values : {&wall_, &cpu_, &faults_, &kilobytes_}) values->clear();
  }

 private:
  const char* const name_;
  std::shared_ptr<engine::Collection> collection_;
  std::vector<std::string> segments_;
  std::vector<double> wall_, cpu_, faults_, kilobytes_;
};

int Run(const bench::Arguments& arguments) {
  const bench::Data data = bench::LoadData(arguments);
  const std::string folder = arguments.settings.Text("folder", "");
  if (folder.empty()) {
    std::fprintf(stderr, "folder=FOLDER is needed: where the collections are to lie\n");
    return 2;
  }
  const std::string memory = arguments.settings.Text("memory", "balanced");
  const auto k = static_cast<size_t>(arguments.settings.Number("k", 10));
  World world;
  const std::string base = folder + "/" + memory;
  if (!fs::exists(base)) Make(world, base, data, memory);
  std::vector<DenseVector> asked;
  for (size_t i = 0; i < data.queries; ++i) {
    asked.push_back(VectorOf(data.query(i)));
    simd::Normalize(asked.back());
  }
  const auto uring = env::MakePosixFileSystem();
  const auto ahead = env::MakePosixFileSystem(env::FetchWay::kReadAhead);
  OneByOne one_by_one(*ahead);
  std::vector<std::unique_ptr<Reader>> readers;
  for (const Way& way : {Way{"faults", one_by_one}, Way{kPages, one_by_one},
                         Way{"read-ahead", *ahead}, Way{"io_uring", *uring}}) {
    const std::string copy = base + "-" + std::to_string(readers.size());
    readers.push_back(std::make_unique<Reader>(world, way, base, copy));
  }
  auto phase = [&](const char* name, bool cold) {
    for (size_t i = 0; i < asked.size(); ++i) {
      std::vector<std::vector<Hit>> answers(readers.size());
      for (size_t turn = 0; turn < readers.size(); ++turn) {
        const size_t way = (turn + i) % readers.size();
        if (cold) readers[way]->Drop();
        answers[way] = readers[way]->Ask(asked[i], k, false);
      }
      for (const auto& answer : answers) {
        if (answer.size() != answers[0].size() || answer[0].id != answers[0][0].id) {
          std::printf("answers differ\n");
        }
      }
    }
    for (auto& reader : readers) reader->Report(name);
  };
  phase("cold, blocks unchecked", true);
  for (auto& reader : readers) {
    reader->Ask(asked[0], k, true);
    reader->Forget();
  }
  phase("cold, blocks checked", true);
  for (auto& reader : readers) {
    for (const DenseVector& query : asked) reader->Ask(query, k, false);
    reader->Forget();
  }
  phase("hot", false);
  readers.clear();
  world.optimizer.Stop();
  world.background.Stop();
  return 0;
}

}  // namespace
}  // namespace akidb

int main(int argc, char** argv) { return akidb::Run(akidb::bench::ParseArguments(argc, argv)); }
