#include "cli/inspect/report.h"

#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

Report Example() {
  Report report{"folder", "/a", {{"in_use", true}, {"rows_max", uint64_t{1234567}}}, {}, {}};
  report.parts.push_back(
      {"log file", "b\x1b[31m", {{"config", JsonText{R"({"x":1})"}}}, "torn \"here\"\n", {}});
  return report;
}

TEST(Report, AsTextHasNoControlCharacters) {
  EXPECT_EQ(ReportText(Example()),
            "folder /a\n"
            "  in use: yes\n"
            "  rows max: 1,234,567\n"
            "  log file b [31m\n"
            "    DAMAGED: torn \"here\" \n"
            "    config: {\"x\":1}\n");
}

TEST(Report, AsJsonKeepsNumbers) {
  EXPECT_EQ(ReportJson(Example()),
            R"({"kind":"folder","name":"/a","in_use":true,"rows_max":1234567,"parts":[)"
            R"({"kind":"log file","name":"b\u001b[31m","config":{"x":1},)"
            R"("damage":"torn \"here\"\n"}]})");
}

TEST(Report, WhatWasNotReadIsNoDamage) {
  Report report = Example();
  report.parts[0].damage.clear();
  report.parts[0].not_read = "why";
  EXPECT_EQ(report.damages(), 0u);
  EXPECT_EQ(report.not_reads(), 1u);
  EXPECT_NE(ReportText(report).find("    NOT READ: why\n"), std::string::npos);
  EXPECT_NE(ReportJson(report).find(R"("not_read":"why"})"), std::string::npos);
}

TEST(Report, CountsDamagesInAllParts) {
  Report report = Example();
  EXPECT_EQ(report.damages(), 1u);
  report.parts[0].parts.push_back({"record", "1", {}, "wrong", {}});
  EXPECT_EQ(report.damages(), 2u);
  EXPECT_EQ(Report{}.damages(), 0u);
}

}  // namespace
}  // namespace akidb::cli
