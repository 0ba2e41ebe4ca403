#include <array>
#include <cmath>

#include "embedding/manifest_members_json.h"

namespace akidb::embedding {
namespace {

using simdjson::dom::element;

constexpr uint64_t kPixelsMax = 4096;  // of a side

// Red, green, blue; of components from 0 to 1.
Result<std::array<float, 3>> ReadChannels(Members& members, const std::string& name, double least) {
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array values, members.Array(name));
  std::array<float, 3> channels{};
  size_t count = 0;
  for (element item : values) {
    double value = 0;
    const bool is_right = count < channels.size() &&
                          item.get_double().get(value) == simdjson::SUCCESS && value >= least &&
                          value <= 1;
    if (!is_right) break;
    channels[count++] = static_cast<float>(value);
  }
  if (count != channels.size() || values.size() != channels.size()) {
    return WrongField(members.PathOf(name),
                      "must hold three numbers of at most 1, of red, green and blue");
  }
  return channels;
}

Result<ImageSide> ReadImageSide(element value) {
  AKIDB_ASSIGN_OR_RETURN(Members members, Members::Of("image", value));
  ImageSide side;
  AKIDB_ASSIGN_OR_RETURN(side.file, ReadFile(members));
  AKIDB_ASSIGN_OR_RETURN(side.input, members.Text("input"));
  AKIDB_ASSIGN_OR_RETURN(side.output, members.Text("output"));
  AKIDB_ASSIGN_OR_RETURN(uint64_t size, members.Number("size", kPixelsMax));
  side.size = static_cast<uint32_t>(size);
  AKIDB_ASSIGN_OR_RETURN(std::string fit, members.Text("fit"));
  if (fit != "crop" && fit != "stretch") {
    return WrongField(members.PathOf("fit"), "must be crop or stretch");
  }
  side.crops = fit == "crop";
  AKIDB_ASSIGN_OR_RETURN(side.mean, ReadChannels(members, "mean", 0));
  AKIDB_ASSIGN_OR_RETURN(side.deviation, ReadChannels(members, "deviation", 1e-3));
  AKIDB_RETURN_IF_ERROR(members.Finish());
  return side;
}

}  // namespace

Status ReadImage(Members& members, Manifest& manifest) {
  std::optional<element> value = members.Find("image");
  if (!value) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(manifest.image, ReadImageSide(*value));
  return OkStatus();
}

}  // namespace akidb::embedding
