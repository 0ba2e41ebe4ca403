// The description of the API as a page.
#include <set>

#include "api/rest/openapi_document.h"
#include "api/rest/schema/json_schema.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr std::string_view kStyle = R"(
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
body{color:#1b1f24;background:#fff}
h1,h2{font-weight:600}
h2{border-bottom:1px solid #d0d7de;margin-top:2.5rem}
h3{margin:1.5rem 0 .25rem;font-size:1rem}
code{font:.9em ui-monospace,monospace;background:#f0f2f4;padding:.1em .3em;border-radius:3px}
table{border-collapse:collapse;width:100%;margin:.25rem 0}
td{border-top:1px solid #e4e8ec;padding:.25rem .5rem;vertical-align:top}
td:first-child{white-space:nowrap;width:1%}
p{margin:.25rem 0}
a{color:#0550ae}
.m{font-weight:600;margin-right:.5rem}
pre{background:#f0f2f4;padding:.5rem;overflow:auto;white-space:pre-wrap}
@media(prefers-color-scheme:dark){
body{background:#14181c;color:#dde3ea}
code,pre{background:#22282f}
a{color:#79b8ff}
h2{border-color:#333b44}
td{border-color:#2a3138}
}
)";

void AppendEscaped(std::string_view text, std::string& out) {
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
}

std::string Escaped(std::string_view text) {
  std::string out;
  AppendEscaped(text, out);
  return out;
}

// What stands between backticks is code.
std::string Prose(std::string_view text) {
  std::string out;
  bool code = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('`'), text.size());
    AppendEscaped(text.substr(0, end), out);
    if (end == text.size()) break;
    out += code ? "</code>" : "<code>";
    code = !code;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string Code(std::string_view text) { return "<code>" + Escaped(text) + "</code>"; }

std::string Bound(double bound) {
  std::string text;
  AppendJsonDouble(bound, text);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string Bounds(const Shape& shape) {
  std::string text;
  if (shape.min != -kNoBound) text += " from " + Bound(shape.min);
  if (shape.max != kNoBound) text += " to " + Bound(shape.max);
  return text;
}

// Writes shapes that have a name as links, and remembers them.
class PageWriter {
 public:
  explicit PageWriter(std::string_view version) : version_(version) {}

  std::string Write();

 private:
  std::string TypeText(const Shape& shape);
  std::string InPlace(const Shape& shape);
  std::string Options(const Shape& shape);
  void WriteFields(std::span<const Field> fields);
  void WriteOperation(const Route& route);
  void WriteShape(const Shape& shape);
  void WriteParts(const Shape& shape);
  void Row(std::string_view name, std::string_view type, std::string_view doc);

  std::string_view version_;
  std::string out_;
  std::vector<const Shape*> met_;
  std::set<std::string_view> names_;
};

std::string PageWriter::TypeText(const Shape& shape) {
  if (shape.name.empty()) return InPlace(shape);
  if (names_.insert(shape.name).second) met_.push_back(&shape);
  const std::string name(shape.name);
  return "<a href=\"#" + name + "\">" + name + "</a>";
}

std::string PageWriter::Options(const Shape& shape) {
  std::string text;
  for (const Shape* option : shape.options) {
    if (!text.empty()) text += " or ";
    text += TypeText(*option);
  }
  return text;
}

std::string PageWriter::InPlace(const Shape& shape) {
  std::string text;
  switch (shape.kind) {
    case Kind::kAny:
      return "anything";
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "boolean";
    case Kind::kUint:
    case Kind::kInteger:
      return "integer" + (shape.kind == Kind::kUint ? Bounds(shape) : "");
    case Kind::kNumber:
      return "number" + Bounds(shape);
    case Kind::kString:
      return shape.format.empty() ? "string" : "string (" + std::string(shape.format) + ")";
    case Kind::kChoice:
      ForEachChoice(shape.choices, [&](std::string_view choice) {
        text += (text.empty() ? "" : ", ") + Code("\"" + std::string(choice) + "\"");
      });
      return text;
    case Kind::kObject:
      for (const Field& field : shape.fields) {
        text += (text.empty() ? "" : ", ") + Code(field.name) + ": " + TypeText(*field.shape);
      }
      return "{" + text + "}";
    case Kind::kMap:
      return "object of " + TypeText(*shape.element);
    case Kind::kArray:
      return "array of " + TypeText(*shape.element);
    case Kind::kOneOf:
      return Options(shape);
  }
  return text;
}

void PageWriter::Row(std::string_view name, std::string_view type, std::string_view doc) {
  out_.append("<tr><td>").append(name).append("</td><td>").append(type);
  if (!doc.empty()) out_.append("<br>").append(Prose(doc));
  out_ += "</td></tr>\n";
}

void PageWriter::WriteFields(std::span<const Field> fields) {
  out_ += "<table>\n";
  for (const Field& field : fields) {
    std::string doc(field.doc);
    if (field.shape->name.empty() && !field.shape->doc.empty()) {
      doc += (doc.empty() ? "" : " ") + std::string(field.shape->doc);
    }
    Row(Code(field.name) + (field.required ? " *" : ""), TypeText(*field.shape), doc);
  }
  out_ += "</table>\n";
}

void PageWriter::WriteOperation(const Route& route) {
  const Operation& operation = route.operation;
  out_ += "<h3 id=\"" + std::string(operation.id) + "\"><span class=\"m\">" +
          std::string(route.method) + "</span>" + Code(DescribedPath(route)) + "</h3>\n<p>" +
          Prose(operation.summary) + ".</p>\n<table>\n";
  for (const Parameter& parameter : operation.parameters) {
    Row(Code(parameter.name), TypeText(*parameter.shape), parameter.doc);
  }
  if (operation.body != nullptr) Row("body", TypeText(*operation.body), "");
  Row("answer", operation.result == nullptr ? "text" : TypeText(*operation.result),
      operation.result != nullptr && operation.enveloped ? "As `result`." : "");
  std::string errors;
  for (int status : ErrorStatuses(route)) {
    errors += (errors.empty() ? "" : ", ") + std::to_string(status);
  }
  if (!errors.empty()) Row("errors", errors, "");
  out_ += "</table>\n";
}

void PageWriter::WriteParts(const Shape& shape) {
  if (shape.kind == Kind::kObject) return WriteFields(shape.fields);
  if (shape.kind != Kind::kOneOf) {
    out_ += "<p>" + InPlace(shape) + "</p>\n";
    return;
  }
  out_ += "<table>\n";
  for (const Shape* option : shape.options) Row("or", TypeText(*option), "");
  out_ += "</table>\n";
}

void PageWriter::WriteShape(const Shape& shape) {
  out_ += "<h3 id=\"" + std::string(shape.name) + "\">" + std::string(shape.name) + "</h3>\n";
  if (!shape.doc.empty()) out_ += "<p>" + Prose(shape.doc) + "</p>\n";
  WriteParts(shape);
  if (!shape.example.empty()) out_ += "<pre>" + Escaped(shape.example) + "</pre>\n";
}

std::string PageWriter::Write() {
  out_ =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>AkiDB's HTTP API</title><style>";
  out_.append(kStyle).append("</style></head><body>\n<h1>AkiDB's HTTP API ");
  out_.append(Escaped(version_))
      .append("</h1>\n<p>For programs: <a href=\"openapi.json\">")
      .append("openapi.json</a>. A star marks fields that are needed; others may be null.</p>\n");
  std::vector<std::string_view> tags;
  for (const Route& route : Routes()) {
    const std::string_view tag = route.operation.tag;
    if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
  for (std::string_view tag : tags) {
    out_ += "<h2>" + Escaped(tag) + "</h2>\n";
    for (const Route& route : Routes()) {
      if (route.operation.tag == tag) WriteOperation(route);
    }
  }
  out_ += "<h2>Shapes</h2>\n";
  // Writing one may bring in further ones.
  for (size_t i = 0; i < met_.size(); ++i) WriteShape(*met_[i]);
  out_ += "</body></html>\n";
  return std::move(out_);
}

}  // namespace

std::string ReferencePage(std::string_view version) { return PageWriter(version).Write(); }

}  // namespace akidb::rest
