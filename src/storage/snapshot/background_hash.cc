#include "storage/snapshot/background_hash.h"

#include <utility>

namespace akidb::storage {

BackgroundHash::BackgroundHash() {
  for (size_t i = 0; i < kPieces + 2; ++i) static_cast<void>(empty_.TryPush({}));
  thread_ = std::thread([this] { Run(); });
}

BackgroundHash::~BackgroundHash() {
  full_.Close();
  if (thread_.joinable()) thread_.join();
}

void BackgroundHash::Run() {
  while (std::optional<std::vector<std::byte>> piece = full_.Pop()) {
    hash_.Update(*piece);
    static_cast<void>(empty_.TryPush(std::move(*piece)));
  }
}

std::vector<std::byte> BackgroundHash::Buffer() {
  std::optional<std::vector<std::byte>> piece = empty_.Pop();
  return std::move(*piece);
}

void BackgroundHash::Update(std::vector<std::byte> piece) {
  static_cast<void>(full_.Push(std::move(piece)));
}

void BackgroundHash::Update(std::span<const std::byte> bytes) {
  std::vector<std::byte> piece = Buffer();
  piece.assign(bytes.begin(), bytes.end());
  Update(std::move(piece));
}

Sha256Digest BackgroundHash::Finish() {
  full_.Close();
  thread_.join();
  return hash_.Digest();
}

}  // namespace akidb::storage
