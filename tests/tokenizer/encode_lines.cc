// encode_lines TOKENIZER_JSON TEXTS IDS: the ids of every text, "id id …" without special tokens,
// one text a line. For the comparison with the reference (compare_with_reference.py).
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "embedding/tokenizer/tokenizer.h"

namespace {

// Texts arrive hex-encoded, since they hold newlines, NUL and whatever else.
std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace

// Writes the ids, or why there are none, to the last argument.
int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  std::ifstream texts(argv[2]);
  std::ofstream out(argv[3]);
  std::ostringstream json;
  json << file.rdbuf();
  auto tokenizer = akidb::embedding::LoadTokenizer(json.str());
  if (!tokenizer.ok()) {
    out << tokenizer.status().ToString() << '\n';
    return 1;
  }
  std::vector<int32_t> ids;
  for (std::string line; std::getline(texts, line);) {
    ids.clear();
    if (!tokenizer.value()->Encode(FromHex(line), SIZE_MAX, ids)) return 1;
    for (size_t i = 0; i < ids.size(); ++i) out << (i == 0 ? "" : " ") << ids[i];
    out << '\n';
  }
  return out.flush() ? 0 : 1;
}
