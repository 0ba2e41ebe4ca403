#include "embedding/pipeline.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/blocking_section.h"

namespace akidb::embedding {
namespace {

// Texts that are tokenized before the scheduler gets them, so that running begins meanwhile.
constexpr size_t kTextsPerHandover = 32;
// More texts than that in one request are a bulk job, whatever their prompt: they must not keep
// those who ask one question waiting.
constexpr size_t kQueryTextsMax = 8;
// Larger requests are tokenized beside their pool's places, too: what asks for no model doesn't
// wait for it. Smaller ones take less than a millisecond.
constexpr size_t kTokenizedInPlaceBytes = 16 << 10;

// How much is asked for; of the two kinds of texts there is one.
BatchScheduler::Size SizeOf(const EmbedRequest& request) {
  BatchScheduler::Size size{request.texts.size() + request.ids.size(), 0};
  for (const std::string& text : request.texts) size.bytes += text.size();
  for (const std::vector<int32_t>& ids : request.ids) size.bytes += ids.size() * sizeof(int32_t);
  return size;
}

SchedulerOptions MakeSchedulerOptions(const Manifest& manifest, const PipelineOptions& options,
                                      Session& session) {
  SchedulerOptions scheduler;
  scheduler.name = "embed";
  scheduler.workers = options.workers;
  scheduler.width = manifest.dims;
  // No second sequence fits into a budget of one token.
  scheduler.batch_tokens = manifest.one_text_a_run ? 1 : options.batch_tokens;
  scheduler.ingest_run_max = options.ingest_run_max;
  scheduler.bucket_step = options.bucket_step;
  if (options.give_back) {
    scheduler.give_back = [&session, give_back = options.give_back] {
      session.GiveBack();
      give_back();
    };
  }
  scheduler.items_max = options.queue_items_max;
  scheduler.bytes_max = options.queue_bytes_max;
  return scheduler;
}

}  // namespace

// One request on its way.
struct Pipeline::Job {
  // Where the vector of a text comes from.
  struct Source {
    bool cached = false;
    size_t index = 0;  // among those found, or among those run
  };

  const RequestContext& context;
  const EmbedRequest& request;
  const BatchScheduler::Size size;
  VectorCache* const cache;  // null: it is not asked
  const Lane lane;
  TextEncoder::Prompt prompt;
  BlockingSection away{};  // ends behind the one that waits: its room is others' at once
  std::unique_ptr<BatchScheduler::Request> waiting{};  // null: nothing is to be run so far
  EmbedResult result{};
  std::vector<Source> sources{};  // of the texts
  std::vector<float> found{};     // in the cache
  size_t tokens = 0;              // of all texts so far
  size_t runs = 0;                // sequences that were queued
  // Of these, where there is a cache.
  std::vector<std::vector<int32_t>> run_ids{};
  // The first text of each kind, by itself.
  std::unordered_map<std::string_view, size_t> first_of{};

  // The bytes of a text, be it of letters or of ids.
  std::string_view TextAt(size_t index) const {
    if (request.ids.empty()) return request.texts[index];
    const std::vector<int32_t>& ids = request.ids[index];
    return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t)};
  }

  // Of one more text.
  Status Count(uint32_t count) {
    result.tokens.push_back(count);
    tokens += count;
    if (request.tokens_max == 0 || tokens <= request.tokens_max) return OkStatus();
    return TooLargeError("the texts have more than " + std::to_string(request.tokens_max) +
                         " tokens, prompts and special tokens included, from text " +
                         std::to_string(result.tokens.size() - 1) + " on; send fewer at a time");
  }

  // A failure of `waiting`, with the first of the texts that it is of.
  Status Named(const Status& failure) const {
    const std::optional<size_t> failed = waiting->failed();
    for (size_t i = 0; failed && i < sources.size(); ++i) {
      if (sources[i].cached || sources[i].index != *failed) continue;
      return failure.WithContext("text " + std::to_string(i));
    }
    return failure;
  }
};

Pipeline::Pipeline(std::shared_ptr<const TextEncoder> encoder, std::unique_ptr<Session> session,
                   const PipelineOptions& options)
    : encoder_(std::move(encoder)),
      session_(std::move(session)),
      fingerprint_(Fingerprint(manifest())),
      query_cache_(options.query_cache),
      token_rows_(options.token_rows),
      scheduler_(MakeSchedulerOptions(manifest(), options, *session_),
                 [this](std::span<const BatchItem> items, RunControl& control) {
                   return RunSequences(*session_, manifest().pooling, items, control);
                 }) {}

Result<EmbedResult> Pipeline::Embed(const RequestContext& context, const EmbedRequest& request) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  if (request.texts.empty() == request.ids.empty()) {
    return InvalidArgumentError(request.texts.empty() ? "the list of texts is empty"
                                                      : "there are texts and ids");
  }
  const BatchScheduler::Size size = SizeOf(request);
  AKIDB_ASSIGN_OR_RETURN(TextEncoder::Prompt prompt,
                         encoder_->MakePrompt(request.input_type, request.instruction));
  AKIDB_ASSIGN_OR_RETURN(uint32_t dims, DimsOf(request));
  const bool is_query = request.input_type == InputType::kQuery && size.items <= kQueryTextsMax;
  const bool cached = is_query && query_cache_ != nullptr && query_cache_->enabled();
  Job job{.context = context,
          .request = request,
          .size = size,
          .cache = cached ? query_cache_ : nullptr,
          .lane = is_query ? Lane::kQuery : Lane::kIngest,
          .prompt = std::move(prompt)};
  // What the cache may answer needs no room in the queue.
  if (!cached) AKIDB_RETURN_IF_ERROR(Open(job));
  if (size.bytes > kTokenizedInPlaceBytes) AKIDB_RETURN_IF_ERROR(Leave(job));
  job.result.model = manifest().id;
  job.result.dims = dims;
  for (size_t begin = 0; begin < size.items; begin += kTextsPerHandover) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_RETURN_IF_ERROR(HandOver(job, begin, std::min(kTextsPerHandover, size.items - begin)));
  }
  EmbedResult& result = job.result;
  AKIDB_ASSIGN_OR_RETURN(result.vectors, Collect(job));
  if (dims == manifest().dims) return std::move(result);

  for (size_t i = 0; i < size.items; ++i) {
    auto from = result.vectors.begin() + static_cast<ptrdiff_t>(i * manifest().dims);
    std::copy_n(from, dims, result.vectors.begin() + static_cast<ptrdiff_t>(i * dims));
    AKIDB_RETURN_IF_ERROR(Normalize(std::span(result.vectors).subspan(i * dims, dims)));
  }
  result.vectors.resize(size.items * dims);
  return std::move(result);
}

bool Pipeline::Serves() const {
  const std::vector<ProviderState> states = Providers();
  return states.empty() || std::any_of(states.begin(), states.end(),
                                       [](const ProviderState& state) { return state.serves; });
}

Status Pipeline::Open(Job& job) {
  AKIDB_ASSIGN_OR_RETURN(job.waiting, scheduler_.Open(job.context, job.lane, job.size));
  return OkStatus();
}

Status Pipeline::Leave(Job& job) {
  if (job.away.Enter()) return OkStatus();
  return scheduler_.Full("too many requests wait for texts to be embedded", job.size);
}

Status Pipeline::HandOver(Job& job, size_t begin, size_t count) {
  std::vector<std::vector<int32_t>> sequences;
  for (size_t i = begin; i < begin + count; ++i) {
    auto [first, is_new] = job.first_of.try_emplace(job.TextAt(i), i);
    if (is_new) {
      AKIDB_RETURN_IF_ERROR(Encode(job, i, sequences));
      continue;
    }
    AKIDB_RETURN_IF_ERROR(job.Count(job.result.tokens[first->second]));
    job.result.truncated.push_back(job.result.truncated[first->second]);
    job.sources.push_back(job.sources[first->second]);
  }
  if (sequences.empty()) return OkStatus();
  if (job.waiting == nullptr) AKIDB_RETURN_IF_ERROR(Open(job));
  job.waiting->Add(std::move(sequences));
  return OkStatus();
}

Status Pipeline::Encode(Job& job, size_t index, std::vector<std::vector<int32_t>>& sequences) {
  const EmbedRequest& request = job.request;
  AKIDB_ASSIGN_OR_RETURN(
      TextEncoder::Sequence sequence,
      request.ids.empty() ? encoder_->Encode(job.prompt, request.texts, index, request.truncate)
                          : encoder_->EncodeIds(job.prompt, request.ids, index, request.truncate));
  AKIDB_RETURN_IF_ERROR(CheckRows(sequence.ids, index));
  AKIDB_RETURN_IF_ERROR(job.Count(static_cast<uint32_t>(sequence.ids.size())));
  job.result.truncated.push_back(sequence.truncated);
  if (job.cache != nullptr && job.cache->Find({fingerprint_, sequence.ids}, job.found)) {
    job.sources.push_back({true, job.found.size() / manifest().dims - 1});
    return OkStatus();
  }
  job.sources.push_back({false, job.runs++});
  if (job.cache != nullptr) job.run_ids.push_back(sequence.ids);
  sequences.push_back(std::move(sequence.ids));
  return OkStatus();
}

Status Pipeline::CheckRows(std::span<const int32_t> ids, size_t index) const {
  if (token_rows_ == nullptr) return OkStatus();
  const uint64_t rows = token_rows_->load(std::memory_order_relaxed);
  const auto beyond =
      std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return uint64_t(id) >= rows; });
  if (beyond == ids.end()) return OkStatus();
  return InvalidArgumentError("text " + std::to_string(index) + " has the token id " +
                              std::to_string(*beyond) + " at place " +
                              std::to_string(beyond - ids.begin()) + ", which the graph of model " +
                              manifest().id + " has no row for: it knows " + std::to_string(rows) +
                              " tokens, its tokenizer more");
}

Result<std::vector<float>> Pipeline::Collect(Job& job) {
  const size_t width = manifest().dims;
  std::vector<float> run;
  if (job.waiting != nullptr) {
    AKIDB_RETURN_IF_ERROR(Leave(job));
    Result<std::vector<float>> ran = job.waiting->Wait();
    if (!ran.ok()) return job.Named(ran.status());
    run = std::move(ran).value();
  }
  for (size_t i = 0; i < job.run_ids.size(); ++i) {
    job.cache->Insert({fingerprint_, job.run_ids[i]}, std::span(run).subspan(i * width, width));
  }
  if (job.runs == job.size.items) return run;
  std::vector<float> all;
  all.reserve(job.size.items * width);
  for (const Job::Source& source : job.sources) {
    const std::vector<float>& from = source.cached ? job.found : run;
    auto begin = from.begin() + static_cast<ptrdiff_t>(source.index * width);
    all.insert(all.end(), begin, begin + static_cast<ptrdiff_t>(width));
  }
  return all;
}

Result<uint32_t> Pipeline::DimsOf(const EmbedRequest& request) const {
  if (request.dims == 0 || request.dims == manifest().dims) return manifest().dims;
  const auto& offered = manifest().dims_offered;
  if (std::find(offered.begin(), offered.end(), request.dims) != offered.end()) {
    return request.dims;
  }
  std::string lengths;
  for (uint32_t dims : offered) lengths += std::to_string(dims) + ", ";
  return InvalidArgumentError("model " + manifest().id + " doesn't offer vectors of " +
                              std::to_string(request.dims) + " dimensions, only of " + lengths +
                              std::to_string(manifest().dims));
}

}  // namespace akidb::embedding
