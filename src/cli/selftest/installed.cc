#include "cli/selftest/installed.h"

#include <algorithm>
#include <utility>

namespace akidb::cli {
namespace {

using embedding::DescribedModels;
using embedding::Manifest;
using embedding::ModelInfo;
using embedding::ModelState;

const Manifest* ById(const DescribedModels& described, const std::string& id) {
  for (const embedding::InstalledModel& model : described.models) {
    if (model.manifest.id == id) return &model.manifest;
  }
  return nullptr;
}

}  // namespace

Result<std::vector<Manifest>> ChooseModels(const DescribedModels& described,
                                           embedding::Embedder& embedder,
                                           const std::vector<std::string>& names) {
  std::vector<ModelInfo> wanted;
  for (const std::string& name : names) {
    AKIDB_ASSIGN_OR_RETURN(ModelInfo info, embedder.FindModel(name));
    if (info.state == ModelState::kAbsent) return NotFoundError(info.state_reason);
    wanted.push_back(std::move(info));
  }
  if (names.empty()) {
    for (ModelInfo& info : embedder.Models()) {
      if (info.state != ModelState::kAbsent) wanted.push_back(std::move(info));
    }
  }
  std::vector<Manifest> chosen;
  for (const ModelInfo& info : wanted) {
    const Manifest* manifest = ById(described, info.id);
    if (manifest == nullptr) return NotFoundError("the manifest of " + info.id + " has gone");
    const bool again = std::any_of(chosen.begin(), chosen.end(),
                                   [&](const Manifest& one) { return one.id == info.id; });
    if (!again) chosen.push_back(*manifest);
  }
  return chosen;
}

}  // namespace akidb::cli
