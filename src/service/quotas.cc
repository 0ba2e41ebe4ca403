#include "service/quotas.h"

#include <algorithm>
#include <span>
#include <utility>

#include "service/quota_file.h"

namespace akidb::service {
namespace {

constexpr uint64_t kUsualMargin = 5;
constexpr std::chrono::seconds kBetweenReturns{1};

}  // namespace

constexpr Quotas::Limit Quotas::kMemory = {"Resident memory usage", "total memory", "memory usage",
                                           "max_resident_memory_percent"};
constexpr Quotas::Limit Quotas::kDisk = {"Disk usage", "total capacity", "disk usage",
                                         "max_disk_usage_percent"};

Result<std::unique_ptr<Quotas>> Quotas::Open(env::FileSystem& fs, std::string path, Meters meters) {
  QuotaConfig config;
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(path));
  if (exists) {
    AKIDB_ASSIGN_OR_RETURN(const std::string text,
                           env::ReadWholeFile(fs, path, kQuotaFileBytesMax));
    Result<QuotaConfig> read = QuotaConfigFromJson(text);
    if (!read.ok()) return read.status().WithContext(path);
    config = *read;
  }
  return std::unique_ptr<Quotas>(new Quotas(fs, std::move(path), std::move(meters), config));
}

QuotaConfig Quotas::config() const {
  MutexLock lock(mutex_);
  return config_;
}

QuotaUsage Quotas::usage() const { return {meters_.memory(), meters_.disk()}; }

QuotasExceeded Quotas::exceeded() {
  const QuotaUsage used = usage();
  QuotasExceeded exceeded;
  MutexLock lock(mutex_);
  if (!config_.enabled) return exceeded;
  if (config_.memory_max && used.memory) {
    exceeded.memory = Judge(*used.memory, *config_.memory_max, memory_tripped_);
  }
  if (config_.disk_max && used.disk) {
    exceeded.disk = Judge(*used.disk, *config_.disk_max, disk_tripped_);
  }
  return exceeded;
}

Status Quotas::Set(const QuotaConfig& config) {
  std::string text;
  JsonWriter json(text);
  WriteQuotaConfig(config, json);
  MutexLock lock(mutex_);
  AKIDB_RETURN_IF_ERROR(env::WriteFileAtomically(fs_, path_, std::as_bytes(std::span(text))));
  config_ = config;
  memory_tripped_ = false;
  disk_tripped_ = false;
  return OkStatus();
}

std::optional<uint64_t> Quotas::MemoryUsed(uint64_t limit) {
  const std::optional<uint64_t> used = meters_.memory();
  if (!used || *used < limit || !meters_.return_memory) return used;
  {
    MutexLock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now < next_return_) return used;
    next_return_ = now + kBetweenReturns;
  }
  meters_.return_memory();
  return meters_.memory();
}

Status Quotas::Check(bool but_memory) {
  const QuotaConfig config = this->config();
  if (!config.enabled) return OkStatus();
  QuotaUsage used;
  if (config.memory_max && !but_memory) used.memory = MemoryUsed(*config.memory_max);
  if (config.disk_max) used.disk = meters_.disk();
  MutexLock lock(mutex_);
  if (!config_.enabled) return OkStatus();
  AKIDB_RETURN_IF_ERROR(CheckLimit(kMemory, used.memory));
  return CheckLimit(kDisk, used.disk);
}

uint64_t Quotas::ReleasedBelow(uint64_t limit) const {
  const uint64_t margin = config_.release_margin.value_or(kUsualMargin);
  // At least one percent: less than nothing can't be used.
  return std::max<uint64_t>(limit - std::min(limit, margin), 1);
}

bool Quotas::Judge(uint64_t used, uint64_t limit, bool& tripped) const {
  tripped = used >= limit || (tripped && used >= ReleasedBelow(limit));
  return tripped;
}

Status Quotas::CheckLimit(const Limit& limit, const std::optional<uint64_t>& used) {
  const bool of_memory = &limit == &kMemory;
  const std::optional<uint64_t>& most = of_memory ? config_.memory_max : config_.disk_max;
  bool& tripped = of_memory ? memory_tripped_ : disk_tripped_;
  if (!most || !used || !Judge(*used, *most, tripped)) return OkStatus();
  const std::string percent = std::to_string(*most) + "%";
  std::string text = std::string(limit.subject) + " is at " + std::to_string(*used) + "% of " +
                     std::string(limit.whole);
  if (*used >= *most) {
    text += ", exceeding the configured limit of " + percent + ". Help: Reduce " +
            std::string(limit.remedy) + " (e.g. delete points or drop collections), or raise `" +
            std::string(limit.parameter) + "` in the global quota config.";
  } else {
    text += ". It reached the configured limit of " + percent + " and has to fall below " +
            std::to_string(ReleasedBelow(*most)) + "% before this node takes writes again.";
  }
  return StorageFullError(std::move(text));
}

}  // namespace akidb::service
