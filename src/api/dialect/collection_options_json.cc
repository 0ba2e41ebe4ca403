#include "api/dialect/collection_options_json.h"

#include <string>

#include "api/dialect/input_json.h"
#include "types/collection_config_json.h"

namespace akidb::dialect {
namespace {

// Of a vector that stands for a longer one.
constexpr uint64_t kPrefixMin = 64;

// Our own options travel in metadata.akidb, which clients pass through.
Status ReadAkidbOptions(JsonElement value, const FieldPath& path, CollectionConfig& out) {
  return ForEachMember(
      value, path, "an object",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (IsNull(member)) return OkStatus();
        if (key == "durability") {
          std::string_view chosen;
          AKIDB_RETURN_IF_ERROR(ReadString(member, at, chosen));
          if (chosen != "sync" && chosen != "interval") {
            return FieldError(at,
                              "expected `sync` or `interval`, got `" + std::string(chosen) + "`");
          }
          out.durability = chosen == "sync" ? Durability::kSync : Durability::kInterval;
          return OkStatus();
        }
        if (key == "string_ids") {
          bool wanted = false;
          AKIDB_RETURN_IF_ERROR(ReadBool(member, at, wanted));
          return wanted ? NotServed(at, "strings as point ids are") : OkStatus();
        }
        if (key == "matryoshka") return OkStatus();  // once all vectors are known
        if (key != "memory") {
          return UnknownField(at, "`durability`, `string_ids`, `memory`, `matryoshka`");
        }
        std::string_view mode;
        AKIDB_RETURN_IF_ERROR(ReadString(member, at, mode));
        return ParseMemoryMode(mode)
                   ? OkStatus()
                   : FieldError(at, "expected `quality`, `balanced` or `compact`, got `" +
                                        std::string(mode) + "`");
      });
}

// Prefixes of the vector called `name`.
Status CheckPrefixes(JsonElement value, const FieldPath& path, std::string_view name,
                     const CollectionConfig& config) {
  auto vector = config.vectors.find(std::string(name));
  if (vector == config.vectors.end() || vector->second.sparse) {
    return FieldError(path, name == kDefaultVectorName
                                ? "there is no unnamed vector; expected an object with a list for "
                                  "each named vector"
                                : "there is no vector of this name");
  }
  const size_t dim = vector->second.dim;
  size_t last = 0;
  Status read = ForEachElement(
      value, path, "a list of numbers of components",
      [&](JsonElement element, const FieldPath& at) -> Status {
        uint64_t prefix = 0;
        AKIDB_RETURN_IF_ERROR(ReadUint(element, at, prefix));
        if (prefix < kPrefixMin || prefix > dim || prefix <= last) {
          return FieldError(at, "expected numbers from " + std::to_string(kPrefixMin) + " to " +
                                    std::to_string(dim) + ", the vector's size, ascending; got " +
                                    std::to_string(prefix));
        }
        last = prefix;
        return OkStatus();
      });
  AKIDB_RETURN_IF_ERROR(read);
  return last != 0 ? OkStatus() : FieldError(path, "expected at least one number");
}

}  // namespace

Status ReadMetadata(JsonElement value, const FieldPath& path, CollectionConfig& out) {
  JsonElement akidb;
  if (!FindMember(value, "akidb", akidb)) return OkStatus();
  return ReadAkidbOptions(akidb, path.Member("akidb"), out);
}

Status CheckMatryoshka(JsonElement metadata, const FieldPath& path,
                       const CollectionConfig& config) {
  JsonElement akidb;
  JsonElement value;
  if (!FindMember(metadata, "akidb", akidb) || !FindMember(akidb, "matryoshka", value)) {
    return OkStatus();
  }
  const FieldPath of_akidb = path.Member("akidb");
  const FieldPath at = of_akidb.Member("matryoshka");
  if (value.is_array()) return CheckPrefixes(value, at, kDefaultVectorName, config);
  return ForEachMember(value, at, "a list of numbers, or an object of such lists by vector name",
                       [&](std::string_view name, JsonElement list, const FieldPath& of_name) {
                         return CheckPrefixes(list, of_name, name, config);
                       });
}

}  // namespace akidb::dialect
