// Answers of yes or no that are worked out when they are first asked for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace akidb::embedding {

// Thread-safe: who asks at the same time works out the same answer.
class LazyFlags {
 public:
  explicit LazyFlags(size_t count) : answers_(std::make_unique<std::atomic<Answer>[]>(count)) {}

  template <typename Compute>
  bool Get(size_t index, const Compute& compute) const {
    Answer answer = answers_[index].load(std::memory_order_relaxed);
    if (answer == Answer::kUnknown) {
      answer = compute() ? Answer::kYes : Answer::kNo;
      answers_[index].store(answer, std::memory_order_relaxed);
    }
    return answer == Answer::kYes;
  }

 private:
  enum class Answer : uint8_t { kUnknown, kYes, kNo };
  std::unique_ptr<std::atomic<Answer>[]> answers_;
};

}  // namespace akidb::embedding
