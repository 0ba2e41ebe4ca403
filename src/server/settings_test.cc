#include "server/settings.h"

#include <gtest/gtest.h>

namespace akidb::server {
namespace {

SettingSources Sources(std::map<std::string, std::string> flags,
                       std::map<std::string, std::string> variables, std::string_view file) {
  SettingSources sources;
  sources.flags = std::move(flags);
  sources.environment = [variables](std::string_view name) -> std::optional<std::string> {
    auto it = variables.find(std::string(name));
    if (it == variables.end()) return std::nullopt;
    return it->second;
  };
  sources.file_path = "akidb.toml";
  Result<FileValues> values = ParseSettingsFile(file, "akidb.toml");
  EXPECT_TRUE(values.ok()) << values.status().ToString();
  if (values.ok()) sources.file = *values;
  return sources;
}

TEST(Settings, AFlagBeatsAVariableBeatsTheFileBeatsTheDefault) {
  std::map<std::string, std::string> variables = {{"AKIDB_HTTP_PORT", "2"}, {"AKIDB_TITLE", "v"}};
  std::string file = "# our own\nhttp_port = 1\ntitle = 'f'\nhost = \"::1\"\ninsecure = true\n";
  Result<Settings> settings = Settings::Resolve(Sources({{"http_port", "3"}}, variables, file));
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->Number("http_port"), 3u);
  EXPECT_EQ(settings->Text("title"), "v");
  EXPECT_EQ(settings->Text("host"), "::1");
  EXPECT_TRUE(settings->Flag("insecure"));
  EXPECT_EQ(settings->Number("io_threads"), 1u);
}

TEST(Settings, EverySettingTellsItsOrigin) {
  Result<Settings> settings = Settings::Resolve(
      Sources({{"http_port", "3"}}, {{"AKIDB_TITLE", "v"}}, "\n\nhost = \"::1\"\n"));
  ASSERT_TRUE(settings.ok());
  std::map<std::string_view, std::string> origins;
  for (const ResolvedSetting& setting : settings->all()) {
    origins[setting.rule->name] = setting.origin;
  }
  EXPECT_EQ(origins["http_port"], "flag --http-port");
  EXPECT_EQ(origins["title"], "variable AKIDB_TITLE");
  EXPECT_EQ(origins["host"], "file akidb.toml:3");
  EXPECT_EQ(origins["io_threads"], "default");
  EXPECT_EQ(origins.size(), SettingRules().size());
}

TEST(Settings, AWrongValueIsRefusedWithItsOriginAndWhatWouldBeRight) {
  Status status = Settings::Resolve(Sources({{"http_port", "65536"}}, {}, "")).status();
  EXPECT_EQ(status.message(),
            "http_port (flag --http-port) must be a whole number from 0 to 65535, got `65536`");
  for (const char* wrong : {"", "-1", "8x", "1.5"}) {
    EXPECT_FALSE(Settings::Resolve(Sources({{"http_port", wrong}}, {}, "")).ok()) << wrong;
  }
  EXPECT_FALSE(Settings::Resolve(Sources({{"insecure", "maybe"}}, {}, "")).ok());
  EXPECT_FALSE(Settings::Resolve(Sources({}, {{"AKIDB_LOG_LEVEL", "loud"}}, "")).ok());
}

TEST(Settings, TheFileIsCheckedByLine) {
  EXPECT_EQ(Settings::Resolve(Sources({}, {}, "host = 'a'\nprot = 1\n")).status().message(),
            "akidb.toml:2: unknown setting `prot`; `akidb config` prints those that exist");
  EXPECT_EQ(Settings::Resolve(Sources({}, {}, "http_port = '80'\n")).status().message(),
            "akidb.toml:1: http_port must be an integer");
  EXPECT_EQ(ParseSettingsFile("a = \n", "x.toml").status().message().substr(0, 9), "x.toml:1:");
  EXPECT_FALSE(ParseSettingsFile("[server]\nhost = 'a'\n", "x.toml").ok());
}

TEST(Settings, EveryDefaultIsValid) { EXPECT_TRUE(Settings::Resolve(Sources({}, {}, "")).ok()); }

}  // namespace
}  // namespace akidb::server
