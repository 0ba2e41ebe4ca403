#include "base/log.h"

#include <chrono>
#include <cstdio>
#include <ctime>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json_writer.h"

namespace akidb {
namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string UtcNow() {
  auto now = std::chrono::system_clock::now();
  auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()) %
                std::chrono::seconds(1);
  std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text + length, sizeof text - length, ".%06dZ", static_cast<int>(micros.count()));
  return text;
}

void WriteField(const LogField& field, JsonWriter& json) {
  json.Key(field.name);
  struct Visitor {
    JsonWriter& json;
    void operator()(std::string_view v) const { json.String(v); }
    void operator()(int64_t v) const { json.Int(v); }
    void operator()(uint64_t v) const { json.Uint(v); }
    void operator()(double v) const { json.Double(v); }
    void operator()(bool v) const { json.Bool(v); }
  };
  std::visit(Visitor{json}, field.value);
}

class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(LogLevel level)
      : level_(level), logger_("akidb", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
  }

  void Write(LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (level < level_) return;
    std::string line;
    JsonWriter json(line);
    json.BeginObject();
    json.Key("time");
    json.String(UtcNow());
    json.Key("mono_ns");
    json.Int(std::chrono::steady_clock::now().time_since_epoch().count());
    json.Key("level");
    json.String(LevelName(level));
    json.Key("event");
    json.String(event);
    json.Key("msg");
    json.String(message);
    for (const LogField& field : fields) WriteField(field, json);
    json.EndObject();
    logger_.info(spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const LogLevel level_;
  spdlog::logger logger_;
};

class NullLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view, std::string_view,
             std::initializer_list<LogField>) override {}
};

}  // namespace

std::unique_ptr<Logger> MakeStderrLogger(LogLevel level) {
  return std::make_unique<StderrLogger>(level);
}

std::unique_ptr<Logger> MakeNullLogger() { return std::make_unique<NullLogger>(); }

}  // namespace akidb
