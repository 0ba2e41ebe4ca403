// Structured logging: one JSON object a line (docs/ops/logging.md names the fields).
//
// Handed down by constructor; there is no global logger. Thread-safe. Never pass vectors, texts of
// users or keys.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace akidb {

enum class LogLevel : unsigned char { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, int64_t, uint64_t, double, bool> value;
};

class Logger {
 public:
  virtual ~Logger() = default;
  // `event` is a stable snake_case name to search for, `message` a sentence for people.
  virtual void Write(LogLevel level, std::string_view event, std::string_view message,
                     std::initializer_list<LogField> fields = {}) = 0;
};

// Lines of at least `level` to standard error.
std::unique_ptr<Logger> MakeStderrLogger(LogLevel level);
// Drops everything: for tests and for commands that report by themselves.
std::unique_ptr<Logger> MakeNullLogger();

}  // namespace akidb
