// The decoder of a tokenizer.json. One that isn't implemented refuses decoding, not the file: it
// changes no id.
#include <string>
#include <utility>

#include "embedding/tokenizer/tokenizer_json.h"

namespace akidb::embedding {
namespace {

Result<TokenDecoder> ReadWordPiece(const Component& part) {
  AKIDB_RETURN_IF_ERROR(part.AllowOnly({"type", "prefix", "cleanup"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view prefix, part.String("prefix"));
  AKIDB_ASSIGN_OR_RETURN(bool cleanup, part.Bool("cleanup"));
  if (prefix.empty()) return MalformedError(part.PathOf("prefix") + ": empty");
  return TokenDecoder{TokenDecoder::Kind::kWordPiece, std::string(prefix), cleanup};
}

Result<TokenDecoder> ReadMetaspace(const Component& part) {
  AKIDB_RETURN_IF_ERROR(part.AllowOnly(
      {"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view mark, part.String("replacement"));
  if (mark.empty()) return MalformedError(part.PathOf("replacement") + ": empty");
  TokenDecoder decoder{TokenDecoder::Kind::kMetaspace, std::string(mark)};
  decoder.begins_marked = true;
  if (part.Has("prepend_scheme")) {
    AKIDB_ASSIGN_OR_RETURN(std::string_view scheme, part.String("prepend_scheme"));
    decoder.begins_marked = scheme != "never";
  }
  return decoder;
}

Result<TokenDecoder> ReadAny(const Component& root) {
  if (!root.Has("decoder")) return TokenDecoder{};
  AKIDB_ASSIGN_OR_RETURN(Component part, root.Object("decoder"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, part.String("type"));
  if (type == "WordPiece") return ReadWordPiece(part);
  if (type == "Metaspace") return ReadMetaspace(part);
  if (type != "ByteLevel") return NotImplementedError(part, type);
  return TokenDecoder{TokenDecoder::Kind::kByteLevel};
}

}  // namespace

TokenDecoder ReadDecoder(const Component& root) {
  Result<TokenDecoder> decoder = ReadAny(root);
  if (decoder.ok()) return std::move(decoder).value();
  TokenDecoder refused;
  refused.refusal = decoder.status();
  return refused;
}

}  // namespace akidb::embedding
