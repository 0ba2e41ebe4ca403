#include "api/rest/alias_json.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "api/rest/input_json.h"

namespace akidb::rest {
namespace {

struct NamedText {
  std::string_view key;
  std::string& text;
};

// An object of just these, all of them.
Status ReadTexts(JsonElement value, const FieldPath& path,
                 std::initializer_list<NamedText> members) {
  const Status read =
      ForEachMember(value, path, "an object",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      for (const NamedText& named : members) {
                        if (key != named.key) continue;
                        std::string_view text;
                        AKIDB_RETURN_IF_ERROR(ReadName(member, at, text));
                        named.text = text;
                      }
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  for (const NamedText& named : members) {
    if (named.text.empty()) return MissingField(path, named.key);
  }
  return OkStatus();
}

Status ReadAction(JsonElement value, const FieldPath& path, service::AliasChange& out) {
  int actions = 0;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      value, path, "an object that names an action",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        ++actions;
        if (key == "create_alias") {
          auto& create = out.emplace<service::CreateAlias>();
          return ReadTexts(member, at,
                           {{"collection_name", create.collection}, {"alias_name", create.alias}});
        }
        if (key == "delete_alias") {
          return ReadTexts(member, at, {{"alias_name", out.emplace<service::DeleteAlias>().alias}});
        }
        if (key != "rename_alias") {
          return UnknownField(at, "`create_alias`, `delete_alias`, `rename_alias`");
        }
        auto& rename = out.emplace<service::RenameAlias>();
        return ReadTexts(
            member, at,
            {{"old_alias_name", rename.old_alias}, {"new_alias_name", rename.new_alias}});
      }));
  return actions == 1 ? OkStatus() : FieldError(path, "expected one action");
}

}  // namespace

Result<std::vector<service::AliasChange>> DecodeAliasChanges(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  JsonElement actions;
  AKIDB_RETURN_IF_ERROR(CheckObject(body.root(), root, "a JSON object"));
  if (!FindMember(body.root(), "actions", actions)) return MissingField(root, "actions");
  const FieldPath path = root.Member("actions");
  std::vector<service::AliasChange> changes;
  AKIDB_RETURN_IF_ERROR(ForEachElement(actions, path, "an array of actions",
                                       [&](JsonElement element, const FieldPath& at) {
                                         return ReadAction(element, at, changes.emplace_back());
                                       }));
  return changes;
}

}  // namespace akidb::rest
