// A self-test's report, for people and for programs.
#pragma once

#include <string>

#include "cli/selftest/figures.h"
#include "cli/selftest/gate.h"

namespace akidb::cli {

// Lines, without control characters from files.
std::string MachineText(const SelftestReport& report);
std::string ModelText(const ModelFigures& model, const SelftestReport& report);
std::string VerdictText(const Verdict& verdict);

// One object as docs/ops/selftest.md describes it; `verdict` may be null.
std::string ReportJson(const SelftestReport& report, const Verdict* verdict);

}  // namespace akidb::cli
