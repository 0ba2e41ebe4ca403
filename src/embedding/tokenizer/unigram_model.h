// The Unigram model (Kudo, 2018): of all ways to cut a word into tokens, the one with the largest
// sum of scores, found by Viterbi's algorithm over the characters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embedding/tokenizer/token_trie.h"

namespace akidb::embedding {

struct UnigramToken {
  std::string text;
  int32_t id = 0;
  double score = 0;
};

// Immutable after building, thread-safe.
class UnigramModel {
 public:
  struct Config {
    std::vector<UnigramToken> tokens;  // that a text may hold, no text twice and none empty
    double score_min = 0;              // of the whole vocabulary
    size_t ids_count = 0;              // above every id
    int32_t unk_id = 0;
    std::string unk_text;  // a text that is the unknown token itself
    // Of <0x00> and so on: what an unknown character is spelled by, if all of them are there.
    std::optional<std::array<int32_t, 256>> byte_ids;
    std::string space_spelling;  // the bytes that a space is spelled by
  };
  explicit UnigramModel(Config config);

  // How the best way to a place between two characters gets there.
  struct Step {
    double score;
    uint32_t begin;  // of its last token
    int32_t id;      // of that; -1: no way leads here yet
  };
  // Memory that the words of a text share.
  struct Workspace {
    std::vector<Step> steps;
    std::vector<std::pair<uint32_t, uint32_t>> pieces;  // begin and end, the last piece first
  };

  // Appends the ids of `word`, well-formed UTF-8. Characters that belong to no token are one
  // unknown token as long as they lie beside each other. Linear in the word, times the longest
  // token's bytes.
  void Encode(std::string_view word, Workspace& workspace, std::vector<int32_t>& ids) const;

 private:
  void FindBestWay(std::string_view word, std::vector<Step>& steps) const;
  void AppendUnknown(std::string_view text, std::vector<int32_t>& ids) const;

  TokenTrie trie_;
  std::vector<double> scores_;  // by id
  double unk_score_;
  int32_t unk_id_;
  std::string unk_text_;
  std::optional<std::array<int32_t, 256>> byte_ids_;
  std::string space_spelling_;
};

}  // namespace akidb::embedding
