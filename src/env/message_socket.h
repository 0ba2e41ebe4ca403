// Messages between two processes of this machine: whole, in order, with descriptors beside the
// bytes (SOCK_SEQPACKET of unix(7)).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/status.h"
#include "env/descriptor.h"

namespace akidb::env {

// Wakes who waits in MessageSocket::Receive. Thread-safe.
class WakeSignal {
 public:
  static Result<WakeSignal> Create();

  void Raise() const;  // until Clear; quick, never waits
  void Clear() const;

 private:
  friend class MessageSocket;
  explicit WakeSignal(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Descriptor descriptor_;
};

struct ReceivedMessage {
  // kEnded: the other end is closed, perhaps because its process has ended.
  enum class Kind : uint8_t { kMessage, kEnded, kWoken, kTimedOut };
  Kind kind = Kind::kEnded;
  std::span<const std::byte> bytes;  // at the beginning of the buffer
  std::vector<Descriptor> descriptors;
};

struct ReceiveOptions {
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
  const WakeSignal* wake = nullptr;
  bool take_descriptors = false;  // false: those that were sent are closed
};

class MessageSocket {
 public:
  static constexpr size_t kMessageBytesMax = 64u << 10;
  static constexpr size_t kDescriptorsMax = 2;  // of one message

  explicit MessageSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  struct Pair;
  static Result<Pair> MakePair();

  // Never waits; thread-safe. The descriptors stay the caller's. kUnavailable: the other end is
  // closed; kResourceExhausted: it has not read what was sent before; kTooLarge: more than
  // kMessageBytesMax bytes.
  Status Send(std::span<const std::byte> bytes,
              std::initializer_list<const Descriptor*> descriptors = {}) const;

  // Waits. One thread at a time. `buffer` has kMessageBytesMax bytes. kCorruption: a message that
  // doesn't fit in it; kIo.
  Result<ReceivedMessage> Receive(std::span<std::byte> buffer, const ReceiveOptions& options) const;

  const Descriptor& descriptor() const { return descriptor_; }
  void Close() { descriptor_.Close(); }

 private:
  Descriptor descriptor_;
};

struct MessageSocket::Pair {
  MessageSocket first;
  MessageSocket second;
};

}  // namespace akidb::env
