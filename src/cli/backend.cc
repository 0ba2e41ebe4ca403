#include "cli/backend.h"

#include <cstdlib>

namespace akidb::cli {
namespace {

constexpr char kDefaultUrl[] = "http://127.0.0.1:6333";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Place ChosenPlace(const Place& place) {
  Place chosen = place;
  if (chosen.url.empty() && chosen.data_dir.empty()) {
    chosen.url = Environment("AKIDB_URL");
    if (chosen.url.empty()) chosen.data_dir = Environment("AKIDB_DATA_DIR");
    if (chosen.data_dir.empty() && chosen.url.empty()) chosen.url = kDefaultUrl;
  }
  if (chosen.url.empty()) return chosen;
  if (chosen.credentials.api_key.empty()) {
    chosen.credentials.api_key = Environment("AKIDB_API_KEY");
  }
  while (chosen.url.ends_with('/')) chosen.url.pop_back();
  if (chosen.url.find("://") == std::string::npos) chosen.url.insert(0, "http://");
  return chosen;
}

Result<std::unique_ptr<Backend>> OpenBackend(const Place& place) {
  const Place chosen = ChosenPlace(place);
  return chosen.url.empty() ? OpenLocalBackend(chosen)
                            : OpenHttpBackend(chosen.url, chosen.credentials);
}

}  // namespace akidb::cli
