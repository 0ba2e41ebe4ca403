#include "service/access_token_json.h"

#include <array>
#include <cstring>
#include <set>

#include <simdjson.h>

namespace akidb::service {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

Status Wrong(const std::string& what) {
  return Status(ErrorCode::kUnauthenticated, "Invalid JWT: " + what);
}

int ValueOf(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

// base64url without padding (RFC 7515, 2).
std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const int value = ValueOf(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  // A letter that brings no byte, and bits that belong to none.
  if (count >= 6 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return out;
}

bool IsHs256(const std::string& header) {
  simdjson::dom::parser parser;
  std::string_view algorithm;
  return !parser.parse(header)["alg"].get(algorithm) && algorithm == "HS256";
}

Result<CollectionGrant> ReadGrant(element value) {
  CollectionGrant grant;
  object members;
  std::string_view name;
  std::string_view right;
  if (value.get(members) || members["collection"].get(name) || members["access"].get(right)) {
    return Wrong("an element of `access` needs a `collection` and an `access`");
  }
  element payload;
  if (!members["payload"].get(payload) && !payload.is_null()) {
    return Wrong("restrictions by `payload` are not supported");
  }
  grant.collection = name;
  if (right == "r") {
    grant.right = CollectionRight::kRead;
  } else if (right == "prw") {
    grant.right = CollectionRight::kWritePoints;
  } else if (right == "rw") {
    grant.right = CollectionRight::kWrite;
  } else {
    return Wrong("the access to a collection is `r`, `rw` or `prw`");
  }
  return grant;
}

Result<Caller> ReadAccess(element value) {
  std::string_view global;
  if (!value.get(global)) {
    if (global == "m") return Caller::Manager();
    if (global == "r") return Caller::Reader();
    return Wrong("`access` to everything is `r` or `m`");
  }
  array elements;
  if (value.get(elements)) return Wrong("`access` is `r`, `m` or a list");
  std::vector<CollectionGrant> grants;
  std::set<std::string> names;
  for (element each : elements) {
    AKIDB_ASSIGN_OR_RETURN(CollectionGrant grant, ReadGrant(each));
    if (!names.insert(grant.collection).second) {
      return Wrong("Collection name should be unique: " + grant.collection);
    }
    grants.push_back(std::move(grant));
  }
  return Caller::Of(std::move(grants));
}

Result<Condition> ReadMatch(element value) {
  object members;
  std::string_view key;
  element scalar;
  if (value.get(members) || members["key"].get(key) || members["value"].get(scalar)) {
    return Wrong("an element of `value_exists.matches` needs a `key` and a `value`");
  }
  Result<PayloadPath> path = PayloadPath::Parse(key);
  if (!path.ok()) return Wrong("`value_exists` has a key that is no path");
  std::string_view text;
  int64_t number = 0;
  bool truth = false;
  MatchScalar wanted;
  if (!scalar.get(text)) {
    wanted = std::string(text);
  } else if (!scalar.get(number)) {
    wanted = number;
  } else if (!scalar.get(truth)) {
    wanted = truth;
  } else {
    return Wrong("a value of `value_exists` is a string, an integer or a boolean");
  }
  return Condition(FieldCondition{std::move(*path), MatchValue{std::move(wanted)}});
}

Result<RequiredPoint> ReadRequiredPoint(element value) {
  object members;
  std::string_view name;
  array matches;
  if (value.get(members) || members["collection"].get(name) || members["matches"].get(matches)) {
    return Wrong("`value_exists` needs a `collection` and `matches`");
  }
  auto filter = std::make_shared<Filter>();
  for (element match : matches) {
    AKIDB_ASSIGN_OR_RETURN(Condition condition, ReadMatch(match));
    filter->must.push_back(std::move(condition));
  }
  return RequiredPoint{std::string(name), std::move(filter)};
}

}  // namespace

std::optional<SignedToken> ParseSignedToken(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  const auto header = DecodeBase64Url(token.substr(0, first));
  auto claims = DecodeBase64Url(token.substr(first + 1, second - first - 1));
  const auto signature = DecodeBase64Url(token.substr(second + 1));
  SignedToken parts;
  if (!header || !claims || !signature || signature->size() != parts.signature.size() ||
      !IsHs256(*header)) {
    return std::nullopt;
  }
  parts.signed_text = token.substr(0, second);
  parts.claims_json = std::move(*claims);
  std::memcpy(parts.signature.data(), signature->data(), parts.signature.size());
  return parts;
}

Result<AccessClaims> ParseAccessClaims(std::string_view json) {
  simdjson::dom::parser parser;
  object members;
  if (parser.parse(json.data(), json.size()).get(members)) return Wrong("its claims are no object");
  AccessClaims claims;
  claims.caller = Caller::Manager();
  std::optional<RequiredPoint> required;
  for (const auto& [key, value] : members) {
    if ((key == "exp" || key == "nbf") && !value.is_null()) {
      uint64_t seconds = 0;
      if (value.get(seconds)) {
        return Wrong("`" + std::string(key) + "` is a whole number of seconds since 1970");
      }
      (key == "exp" ? claims.expires : claims.not_before) = seconds;
    } else if (key == "access") {
      AKIDB_ASSIGN_OR_RETURN(claims.caller, ReadAccess(value));
    } else if (key == "value_exists" && !value.is_null()) {
      AKIDB_ASSIGN_OR_RETURN(required, ReadRequiredPoint(value));
    }
  }
  if (required) claims.caller.Require(std::move(*required));
  return claims;
}

}  // namespace akidb::service
