#include "embedding/tokenizer/unigram_model.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace akidb::embedding {
namespace {

// How much worse than the worst token an unknown character is, as in SentencePiece.
constexpr double kUnknownPenalty = 10;

// Of the well-formed character that begins with this byte.
constexpr size_t CharSize(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

std::vector<TokenTable::Token> TrieTokens(const std::vector<UnigramToken>& tokens) {
  std::vector<TokenTable::Token> list;
  list.reserve(tokens.size());
  for (const UnigramToken& token : tokens) list.push_back({token.text, token.id});
  return list;
}

}  // namespace

UnigramModel::UnigramModel(Config config)
    : trie_(TrieTokens(config.tokens)),
      scores_(config.ids_count),
      unk_score_(config.score_min - kUnknownPenalty),
      unk_id_(config.unk_id),
      unk_text_(std::move(config.unk_text)),
      byte_ids_(config.byte_ids),
      space_spelling_(std::move(config.space_spelling)) {
  for (const UnigramToken& token : config.tokens) {
    scores_.at(static_cast<size_t>(token.id)) = token.score;
  }
}

void UnigramModel::FindBestWay(std::string_view word, std::vector<Step>& steps) const {
  steps.assign(word.size() + 1, {0, 0, -1});
  for (size_t begin = 0; begin < word.size();) {
    double score_here = steps[begin].score;
    auto reach = [&](size_t end, double score, int32_t id) {
      Step& step = steps[end];
      if (step.id < 0 || score > step.score) step = {score, static_cast<uint32_t>(begin), id};
    };
    size_t char_size = CharSize(static_cast<unsigned char>(word[begin]));
    bool char_is_token = false;
    uint32_t node = TokenTrie::kRoot;
    for (size_t end = begin; end < word.size();) {
      node = trie_.Child(node, static_cast<unsigned char>(word[end++]));
      if (node == TokenTrie::kNone) break;
      int32_t id = trie_.IdAt(node);
      if (id == kNoToken) continue;
      reach(end, scores_[static_cast<size_t>(id)] + score_here, id);
      char_is_token = char_is_token || end - begin == char_size;
    }
    if (!char_is_token) reach(begin + char_size, unk_score_ + score_here, unk_id_);
    begin += char_size;
  }
}

void UnigramModel::Encode(std::string_view word, Workspace& workspace,
                          std::vector<int32_t>& ids) const {
  AKIDB_CHECK(word.size() < std::numeric_limits<uint32_t>::max());
  auto& [steps, pieces] = workspace;
  FindBestWay(word, steps);
  pieces.clear();
  for (auto end = static_cast<uint32_t>(word.size()); end > 0;) {
    uint32_t begin = steps[end].begin;
    bool joins =
        steps[end].id == unk_id_ && !pieces.empty() && steps[pieces.back().second].id == unk_id_;
    if (joins) {
      pieces.back().first = begin;
    } else {
      pieces.emplace_back(begin, end);
    }
    end = begin;
  }
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    int32_t id = steps[piece->second].id;
    if (id != unk_id_) {
      ids.push_back(id);
    } else {
      AppendUnknown(word.substr(piece->first, piece->second - piece->first), ids);
    }
  }
}

void UnigramModel::AppendUnknown(std::string_view text, std::vector<int32_t>& ids) const {
  if (!byte_ids_ || text == unk_text_) {
    ids.push_back(unk_id_);
    return;
  }
  for (char c : text) {
    std::string_view bytes = c == ' ' ? std::string_view(space_spelling_) : std::string_view(&c, 1);
    for (char byte : bytes) ids.push_back((*byte_ids_)[static_cast<unsigned char>(byte)]);
  }
}

}  // namespace akidb::embedding
