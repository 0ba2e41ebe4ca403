// encode_lines TOKENIZER_JSON TEXTS IDS match|plain: the ids of every text, "id id …" without
// special tokens, one text a line; behind a tab what they decode to, and behind another that
// without special tokens, in hexadecimal. For the comparison with the reference
// (compare_with_reference.py).
//
// Every text is also read up to half of its ids, which must be the first half.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
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

std::string ToHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace

// Writes the ids, or why there are none, to the third argument.
int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  std::ifstream texts(argv[2]);
  std::ofstream out(argv[3]);
  std::ostringstream json;
  json << file.rdbuf();
  akidb::embedding::TokenizerOptions options;
  if (std::string_view(argv[4]) == "plain") {
    options.specials_in_text = akidb::embedding::SpecialsInText::kPlain;
  }
  auto tokenizer = akidb::embedding::LoadTokenizer(json.str(), options);
  if (!tokenizer.ok()) {
    out << tokenizer.status().ToString() << '\n';
    return 1;
  }
  std::vector<int32_t> ids;
  for (std::string line; std::getline(texts, line);) {
    ids.clear();
    std::string text = FromHex(line);
    if (!tokenizer.value()->Encode(text, SIZE_MAX, ids)) return 1;
    std::vector<int32_t> half;
    bool is_whole = tokenizer.value()->Encode(text, ids.size() / 2, half);
    if (is_whole != ids.empty() || half.size() != ids.size() / 2 ||
        !std::equal(half.begin(), half.end(), ids.begin())) {
      out << "cut at " << ids.size() / 2 << " ids, " << line << " has others\n";
      return 1;
    }
    for (size_t i = 0; i < ids.size(); ++i) out << (i == 0 ? "" : " ") << ids[i];
    for (bool skip_special : {false, true}) {
      auto decoded = tokenizer.value()->Decode(ids, skip_special);
      if (!decoded.ok()) {
        out << decoded.status().ToString() << '\n';
        return 1;
      }
      out << '\t' << ToHex(*decoded);
    }
    out << '\n';
  }
  return out.flush() ? 0 : 1;
}
