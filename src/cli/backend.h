// What the commands ask of AkiDB, wherever it is: a server reached by HTTP, or a data folder that
// this process opens through the same `service` layer.
//
// Thread-safe. Errors: kUnavailable (no server answers), kBusy (another process has the folder),
// and what service reports; messages are ready to be shown.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cli/http_client.h"
#include "types/filter.h"
#include "types/payload.h"
#include "types/point_id.h"

namespace akidb::cli {

struct ModelFacts {
  std::string id;
  uint32_t dims = 0;
  uint32_t max_tokens = 0;
};

struct TextPoint {
  PointId id;
  std::string text;  // to be embedded
  Payload payload;
};

// All must hold.
struct FieldMatch {
  std::string key;  // a payload path
  MatchScalar value;
};

struct StoredPoint {
  PointId id;
  Payload payload;
};

struct StoredPage {
  std::vector<StoredPoint> points;
  std::optional<PointId> next;
};

// The sparse vector that ingest --hybrid makes of a passage's words, by BM25.
inline constexpr char kWordsVector[] = "bm25";

struct CollectionFacts {
  bool has_words = false;  // kWordsVector is one of its vectors
};

struct NewCollection {
  uint32_t dims = 0;
  bool words = false;
};

// What is made of a text.
struct TextVectors {
  std::string model;
  bool words = false;  // kWordsVector, too
};

struct SearchQuestion {
  std::string text;
  std::string model;    // empty: the default
  bool hybrid = false;  // by its words, too: two lists of passages, fused by their ranks
  std::vector<FieldMatch> matches;
  size_t limit = 3;

  // Of each of the two lists.
  size_t list_limit() const { return std::max<size_t>(4 * limit, 40); }
};

struct FoundPassage {
  PointId id;
  float score = 0;
  Payload payload;
};

struct SearchAnswer {
  std::vector<FoundPassage> passages;  // best first
  double embed_ms = 0;
  double search_ms = 0;
};

struct EmbedAnswer {
  std::string model;
  uint32_t dims = 0;
  std::vector<float> vectors;  // texts x dims
  uint64_t tokens = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Requests under way, and later ones, end with kCancelled as soon as they can. A write is whole
  // or not there.
  virtual void Cancel() = 0;

  // How to call it in messages: the URL or the folder.
  virtual const std::string& place() const = 0;

  // By id or alias; empty is the default model. kNotFound, kInference.
  virtual Result<ModelFacts> FindModel(const std::string& name) = 0;

  // Nothing when there is none.
  virtual Result<std::optional<CollectionFacts>> FindCollection(const std::string& name) = 0;
  // One vector, compared by cosine, and that of words. kAlreadyExists.
  virtual Status CreateCollection(const std::string& name, const NewCollection& wanted) = 0;

  // Embeds and stores; durable when it returns.
  virtual Status Upsert(const std::string& collection, const TextVectors& vectors,
                        std::span<const TextPoint> points) = 0;
  virtual Status Delete(const std::string& collection, std::span<const PointId> ids) = 0;
  // Those of `ids` that exist, with the payload fields named.
  virtual Result<std::vector<StoredPoint>> Retrieve(const std::string& collection,
                                                    std::span<const PointId> ids,
                                                    const std::vector<std::string>& fields) = 0;
  // All points by id, in pages; `from` is the first id.
  virtual Result<StoredPage> Scroll(const std::string& collection,
                                    const std::optional<PointId>& from,
                                    const std::vector<std::string>& fields) = 0;
  virtual Result<SearchAnswer> Search(const std::string& collection,
                                      const SearchQuestion& question) = 0;
  // As queries.
  virtual Result<EmbedAnswer> Embed(const std::string& model,
                                    const std::vector<std::string>& texts) = 0;
};

// Where AkiDB is. Both empty: AKIDB_URL, then AKIDB_DATA_DIR, then the default server.
struct Place {
  std::string url;
  HttpCredentials credentials;  // for the server
  std::string data_dir;
  bool create_folder = false;  // of data_dir, when missing
};

// Either url, without a slash at its end, or data_dir.
Place ChosenPlace(const Place& place);

Result<std::unique_ptr<Backend>> OpenBackend(const Place& place);

// The two forms. `url` without a slash at its end.
Result<std::unique_ptr<Backend>> OpenHttpBackend(const std::string& url,
                                                 const HttpCredentials& credentials);
Result<std::unique_ptr<Backend>> OpenLocalBackend(const Place& place);

}  // namespace akidb::cli
