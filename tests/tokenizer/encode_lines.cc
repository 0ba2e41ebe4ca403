// The ids of every text on standard input, one a line: "id id …", without special tokens.
// For the comparison with the reference implementation (compare_with_reference.py).
#include <cstdint>
#include <fstream>
#include <iostream>
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

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: encode_lines TOKENIZER_JSON < texts in hex, one a line\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  std::ostringstream json;
  json << file.rdbuf();
  auto tokenizer = akidb::embedding::LoadTokenizer(json.str());
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status().ToString() << "\n";
    return 1;
  }
  std::ios::sync_with_stdio(false);
  std::vector<int32_t> ids;
  for (std::string line; std::getline(std::cin, line);) {
    ids.clear();
    if (!tokenizer.value()->Encode(FromHex(line), SIZE_MAX, ids)) return 1;
    for (size_t i = 0; i < ids.size(); ++i) std::cout << (i == 0 ? "" : " ") << ids[i];
    std::cout << '\n';
  }
  return 0;
}
