#!/usr/bin/env python3
"""Proves that each rule of tidy.py fires on a seeded violation, and on nothing in a clean tree."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

from tidy_rules import catalogue, cpp
from tidy_rules.exceptions import Excuse
from tidy_rules.tree import Tree

CLEAN = {
    "README.md": "Start with [the style](docs/STYLE.md) and `base/status.h`.\n",
    "docs/STYLE.md": "# Style\n",
    "docs/format/log.md": "# Log\n",
    "src/base/CMakeLists.txt": "akidb_module(base\n  SOURCES status.cc)\n",
    "src/base/README.md": "# base\nRead: `status.h`.\n",
    "src/base/status.h": "// docs/format/log.md says why.\n#pragma once\n\n#include <string>\n",
    "src/base/status.cc": '#include "base/status.h"\n',
    "src/env/CMakeLists.txt": "akidb_module(env\n  SOURCES disk.cc\n  DEPENDS base\n"
                              "  TESTS disk_test.cc)\n",
    "src/env/README.md": "# env\n",
    "src/env/disk.cc": '#include <fcntl.h>\n\n#include "base/status.h"\n\n'
                       'int Open() { return ::open("a", O_RDONLY); }\n',
    "src/env/disk_test.cc": '#include <filesystem>\n\n#include <gtest/gtest.h>\n\n'
                            'TEST(Disk, Opens) { std::random_device seed; }\n',
    "src/index/CMakeLists.txt": "akidb_module(index\n  SOURCES scan.cc\n  DEPENDS base env)\n",
    "src/index/README.md": "# index\n",
    "src/index/scan.cc": '#include "base/status.h"\n',
    "src/catalog/CMakeLists.txt": "akidb_module(catalog\n  SOURCES catalog.cc\n  DEPENDS base env)\n",
    "src/catalog/README.md": "# catalog\n",
    "src/catalog/catalog.cc": '#include <sqlite3.h>\n\n#include "base/status.h"\n',
}


def body(line, function="void Work() {\n  %s\n}\n"):
    """The source of a file with `line`, as its second, within a function."""
    return function % line


class TidyCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="akidb-tidy-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for path, text in CLEAN.items():
            self.write(path, text)

    def write(self, path, content):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(content, encoding="utf-8")

    def findings(self, excuses=()):
        return catalogue.check(Tree(self.root), excuses)

    def expect(self, rule, path, line, files):
        """Exactly one finding once `files` are written: of `rule`, at path:line."""
        for name, content in files.items():
            self.write(name, content)
        found = self.findings()
        self.assertEqual([(rule, path, line)], [(f.rule, f.path, f.line) for f in found],
                         "\n".join(map(str, found)))
        self.assertGreater(len(found[0].message), 20)
        EXERCISED.add(rule)

    def expect_in_index(self, rule, line, source):
        self.expect(rule, "src/index/scan.cc", line, {"src/index/scan.cc": source})

    def expect_none(self, source, path="src/index/scan.cc"):
        self.write(path, source)
        self.assertEqual([], [str(f) for f in self.findings()])


EXERCISED = set()


class Layers(TidyCase):
    def test_clean_tree_passes(self):
        self.assertEqual([], self.findings())

    def test_link_against_the_arrows(self):
        self.expect("layer-link", "src/env/CMakeLists.txt", 2, {
            "src/env/CMakeLists.txt": "# Files.\nakidb_module(env\n  SOURCES disk.cc\n"
                                      "  DEPENDS base index\n  TESTS disk_test.cc)\n"
        } | {"src/index/CMakeLists.txt": "akidb_module(index\n  SOURCES scan.cc\n  DEPENDS base)\n"})

    def test_test_link_sideways(self):
        self.expect("layer-link", "src/index/CMakeLists.txt", 1, {
            "src/index/CMakeLists.txt":
                "akidb_module(index\n  SOURCES scan.cc\n  DEPENDS base env\n  TEST_DEPENDS catalog)\n"})

    def test_unknown_module(self):
        self.expect("layer-link", "src/extra/CMakeLists.txt", 1, {
            "src/extra/CMakeLists.txt": "akidb_module(extra DEPENDS base)\n",
            "src/extra/README.md": "# extra\n"})

    def test_include_against_the_arrows(self):
        self.expect("layer-include", "src/index/scan.cc", 2, {
            "src/catalog/catalog.h": "#pragma once\n",
            "src/index/scan.cc": '#include "base/status.h"\n#include "catalog/catalog.h"\n'})

    def test_include_that_depends_does_not_name(self):
        self.expect("layer-include", "src/index/scan.cc", 1, {
            "src/types/CMakeLists.txt": "akidb_module(types DEPENDS base)\n",
            "src/types/README.md": "# types\n",
            "src/types/point.h": "#pragma once\n",
            "src/index/scan.cc": '#include "types/point.h"\n'})

    def test_include_not_from_src(self):
        self.expect("layer-include", "src/base/status.cc", 1, {
            "src/base/status.cc": '#include "status.h"\n'})

    def test_own_header_in_angles(self):
        self.expect_in_index("layer-include", 1, "#include <base/status.h>\n")

    def test_include_in_a_comment_or_literal_is_none(self):
        self.expect_none('/*\n   #include "catalog/catalog.h"\n*/\n'
                         'const char* a = R"(\n#include "x.h"\n)";\n')

    def test_headers_in_a_circle(self):
        self.expect("cycles", "src/base/a.h", 1, {
            "src/base/a.h": '#pragma once\n#include "base/b.h"\n',
            "src/base/b.h": '#pragma once\n#include "base/a.h"\n'})

    def test_modules_in_a_circle(self):
        self.write("src/base/CMakeLists.txt", "akidb_module(base\n  SOURCES status.cc\n  DEPENDS env)\n")
        self.assertIn(("cycles", "src/base/CMakeLists.txt"),
                      [(f.rule, f.path) for f in self.findings()])


class Confinement(TidyCase):
    def test_library_outside_its_home(self):
        self.expect_in_index("library-headers", 1, "#include <sqlite3.h>\n")

    def test_library_in_a_second_file_of_its_home(self):
        self.expect("library-headers", "src/cli/upload.cc", 1, {
            "src/cli/CMakeLists.txt": "akidb_module(cli\n  SOURCES fetch.cc upload.cc\n  DEPENDS base)\n",
            "src/cli/README.md": "# cli\n",
            "src/cli/fetch.cc": "#include <curl/curl.h>\n",
            "src/cli/upload.cc": "#include <curl/curl.h>\n"})

    def test_library_in_another_file_of_its_module(self):
        self.expect("library-headers", "src/catalog/rows.cc", 1, {
            "src/catalog/CMakeLists.txt":
                "akidb_module(catalog\n  SOURCES catalog.cc rows.cc\n  DEPENDS base env)\n",
            "src/catalog/rows.cc": "#include <sqlite3.h>\n"})

    def test_library_through_a_header_of_ours(self):
        self.expect("library-headers", "src/index/scan.cc", 1, {
            "src/index/input_json.h": "#pragma once\n#include <simdjson.h>\n",
            "src/index/scan.cc": '#include "index/input_json.h"\n'})

    def test_json_in_a_file_that_decodes(self):
        self.write("src/index/CMakeLists.txt",
                   "akidb_module(index\n  SOURCES scan.cc body_json.cc\n  DEPENDS base env)\n")
        self.expect_none("#include <simdjson.h>\n", "src/index/body_json.cc")

    def test_every_library(self):
        for header in ("boost/asio.hpp", "onnxruntime_c_api.h", "curl/curl.h", "simdjson.h",
                       "gumbo.h", "cmark.h", "CLI/CLI.hpp", "toml++/toml.h", "fmt/core.h",
                       "spdlog/spdlog.h", "roaring/roaring.h", "unicode/unorm2.h", "zstd.h", "zlib.h",
                       "openssl/evp.h", "gtest/gtest.h", "benchmark/benchmark.h", "immintrin.h"):
            with self.subTest(header):
                self.expect_in_index("library-headers", 2, f"\n#include <{header}>\n")

    def test_every_system_header(self):
        for header in ("fcntl.h", "sys/mman.h", "filesystem", "fstream", "spawn.h", "poll.h",
                       "unistd.h", "csignal", "dlfcn.h"):
            with self.subTest(header):
                self.expect_in_index("system-headers", 1, f"#include <{header}>\n")

    def test_system_calls(self):
        for call in ('::open("a", 0);', "fsync(3);", 'std::rename("a", "b");', 'std::fopen("a", "r");',
                     'std::filesystem::remove("a");', 'std::ifstream in("a");', 'dlopen("a", 1);'):
            with self.subTest(call):
                self.expect_in_index("system-calls", 2, body(call))

    def test_members_of_the_same_name_are_no_system_calls(self):
        self.expect_none(body("disk.rename(a, b); disk->open(c); Reopen(d); Disk::open(e);"))


class Lengths(TidyCase):
    def test_file(self):
        self.expect_in_index("file-length", 601, "int x;\n" * 601)

    def test_function(self):
        self.expect_in_index("function-length", 3,
                             "namespace a {\n\nvoid Long() {\n" + "  Step();\n" * 69 + "}\n}\n")

    def test_function_of_the_greatest_length(self):
        self.expect_none("void Long() {\n" + "  Step();\n" * 68 + "}\n")

    def test_test_body(self):
        self.expect("function-length", "src/env/disk_test.cc", 1, {
            "src/env/disk_test.cc": "TEST(Disk, Works) {\n" + "  Step();\n" * 70 + "}\n"})

    def test_parameters_of_a_definition(self):
        self.expect_in_index("parameters", 2, "\nint F(int a, int b, int c, int d, int e) { return a; }\n")

    def test_parameters_of_a_declaration_in_a_class(self):
        self.expect_in_index("parameters", 3, "class A {\n public:\n  A(int a, int b, int c,\n"
                                              "    std::map<int, int> d, int e = F(1, 2));\n};\n")

    def test_commas_that_part_no_parameters(self):
        self.expect_none("void F(std::map<int, int> a, std::function<void(int, int, int)> b = {},\n"
                         "       int c = G(1, 2, 3), int d = 1);\n"
                         "std::function<int(int, int, int, int, int)> g;\n"
                         "std::array<int, 5> h = Make(1, 2, 3, 4, 5);\n")

    def test_line(self):
        self.expect_in_index("line-width", 2, "\n// " + "x" * 98 + "\n")


class FunctionFinder(unittest.TestCase):
    def names(self, code):
        return [(f.name, f.first_line, f.last_line) for f in cpp.functions(code)]

    def test_shapes(self):
        self.assertEqual([("A", 2, 4), ("size", 5, 5), ("operator==", 6, 6)], self.names(
            "class A final : public B {\n"
            "  explicit A(int a) : a_{a}, b_(a) {\n  for (;;) { }\n  }\n"
            "  size_t size() const noexcept override { return n_; }\n"
            "  bool operator==(const A& b) const { return true; }\n"
            "  int n_{0};\n  std::array<int, 2> c_ = {1, 2};\n};\n"))

    def test_trailing_types_templates_and_lambdas(self):
        self.assertEqual([("F", 1, 2), ("G", 4, 4)], self.names(
            "template <typename T, class = int>\n"
            "auto F(T t) -> std::vector<T> { auto g = [&](int a) { return t; }; return {}; }\n"
            "enum class E { kA, kB };\n"
            "Result<int> G(std::initializer_list<int> a = {}) { struct L { int M() { return 1; } }; }\n"))

    def test_test_macros(self):
        self.assertEqual([("TEST(Wal, Stops)", 1, 3)], self.names("TEST(Wal, Stops) {\n  int x;\n}\n"))


class Patterns(TidyCase):
    def test_forbidden(self):
        for rule, line in (
                ("printing", "std::cout << 1;"), ("printing", 'printf("a");'),
                ("catch-all", "try { F(); } catch (...) {}"),
                ("using-namespace", "using namespace std;"),
                ("sleep", "std::this_thread::sleep_for(t);"), ("sleep", "usleep(10);"),
                ("detached-thread", "thread.detach();"), ("volatile", "volatile int x = 0;"),
                ("randomness", "int x = rand();"), ("randomness", "std::random_device seed;"),
                ("wall-clock", "auto t = std::chrono::system_clock::now();"),
                ("wall-clock", "auto t = time(nullptr);"),
                ("std-regex", 'std::regex r("a");'), ("assertion", "assert(x);"),
                ("raw-new", "auto* a = new int;"), ("raw-new", "delete a;")):
            with self.subTest(line):
                self.expect_in_index(rule, 2, body(line))

    def test_forbidden_words_in_comments_and_literals(self):
        self.expect_none('// Never volatile, never detach().\n'
                         'const char* a = "std::cout << new int; // delete a";\n'
                         "const char* b = R\"x(volatile \" )x\";\nchar c = '\"'; int n = 1'000;\n")

    def test_allowed_forms(self):
        self.expect_none("A(const A&) = delete;\nvoid* operator new(size_t n);\n"
                         "std::unique_ptr<A> MakeA() { return std::unique_ptr<A>(new A(1)); }\n"
                         "void P(void* p) { ::new (p) A(); bool deleted = p; }\n")

    def test_sleep_in_a_test(self):
        self.expect("sleep", "src/env/disk_test.cc", 2, {
            "src/env/disk_test.cc": body("std::this_thread::sleep_for(t);")})

    def test_isa_conditionals(self):
        self.expect_in_index("isa-conditionals", 1, "#if defined(__AVX2__)\n#endif\n")

    def test_open_ends(self):
        self.expect_in_index("open-ends", 1, "// TODO: later.\n")

    def test_disabled_code(self):
        for line in ("return x;", "int x = F(1);", "#include <a.h>", "if (x) {", "F(x);"):
            with self.subTest(line):
                self.expect_in_index("disabled-code", 1, f"// {line}\n")

    def test_prose_and_examples_are_not_disabled_code(self):
        self.expect_none("// Ends the run; the caller waits for it.\n//   Scan scan(rows);\n"
                         "// The rest (all of it) stays;\n")

    def test_pragma_once(self):
        self.expect("pragma-once", "src/base/bare.h", 1, {"src/base/bare.h": "int x;\n"})


class Texts(TidyCase):
    def test_machine_paths(self):
        for folder in ("work", "root", "home"):
            with self.subTest(folder):
                self.expect("machine-paths", "docs/STYLE.md", 2,
                            {"docs/STYLE.md": f"# Style\nsee /{folder}/x\n"})

    def test_temporary_paths_outside_tests(self):
        self.expect_in_index("machine-paths", 1, 'const char* a = "/tmp/x";\n')

    def test_registry_hosts(self):
        self.expect("registry-hosts", "package-lock.json", 2, {
            "package-lock.json": '{\n"resolved": "https://registry.npmjs.org/a.tgz"}\n'})

    def test_people_dates_and_plans(self):
        for text in ("Author: Somebody", "@author x", "Copyright 2024 Somebody", "Written by Ann",
                     "as of 2025-03-01", "comes in phase 2", "see issue #12"):
            with self.subTest(text):
                self.expect_in_index("people-and-dates", 1, f"// {text}.\n")

    def test_data_that_looks_like_dates(self):
        self.expect_none('// Read as 2025-03-01T10:00:00Z. The record written by a commit.\n'
                         'const char* a = "2025-03-01";\n')

    def test_large_binary(self):
        self.expect("generated-files", "docs/picture.bin", 1, {"docs/picture.bin": b"\0" * 500_001})

    def test_build_output(self):
        self.expect("generated-files", "src/base/status.o", 1, {"src/base/status.o": b"\0"})


class Documents(TidyCase):
    def test_missing_readme(self):
        (self.root / "src/index/README.md").unlink()
        self.expect("module-readme", "src/index/CMakeLists.txt", 1, {})

    def test_long_readme(self):
        self.expect("module-readme", "src/index/README.md", 41, {"src/index/README.md": "a\n" * 41})

    def test_unlisted_source(self):
        self.expect("listed-sources", "src/index/lost.cc", 1, {"src/index/lost.cc": "int x;\n"})

    def test_missing_page(self):
        self.expect_in_index("docs-paths", 1, "// docs/format/absent.md says why.\n")

    def test_broken_link(self):
        self.expect("links", "README.md", 2, {"README.md": "\n[a](docs/absent.md)\n"})

    def test_absent_file_in_backticks(self):
        self.expect("links", "src/index/README.md", 1, {"src/index/README.md": "Read `absent.cc`.\n"})

    def test_links_that_hold(self):
        self.expect_none("[a](https://example.com) [b](../../docs/STYLE.md#x) `scan.cc` `env/*.cc`\n"
                         "```\n[c](absent.md)\n```\n", "src/index/README.md")

    def test_log_event_without_a_row(self):
        self.write("docs/ops/logging.md", "| `log_cut` | warning | the tail was torn |\n")
        self.expect_in_index("log-events", 4, body(
            'log.Write(LogLevel::kInfo, "log_cut", "");\n  log.Write(LogLevel::kInfo,\n'
            '            a ? "log_cut" : "new_one", "", {{"x_y", 1}});'))

    def test_collective_name(self):
        self.expect("names", "src/base/string_utils.h", 1,
                    {"src/base/string_utils.h": "#pragma once\n"})

    def test_file_name_case(self):
        self.expect("names", "src/base/Status2.h", 1, {"src/base/Status2.h": "#pragma once\n"})


class Running(TidyCase):
    def test_excuse_keeps_a_finding_and_goes_stale(self):
        excuse = Excuse("volatile", "src/index/scan.cc", "a reason")
        self.assertEqual(["stale-exception"], [f.rule for f in self.findings((excuse,))])
        self.write("src/index/scan.cc", "volatile int x;\n")
        self.assertEqual([], self.findings((excuse,)))

    def test_program(self):
        program = pathlib.Path(__file__).with_name("tidy.py")
        run = [sys.executable, str(program), str(self.root)]
        self.write("src/index/scan.cc", "\nvolatile int x;\n")
        failed = subprocess.run(run, capture_output=True, text=True, check=False)
        self.assertEqual(1, failed.returncode)
        self.assertRegex(failed.stdout, r"\Asrc/index/scan\.cc:2: volatile: .*\n\Z")

    def test_ignored_files_are_not_checked(self):
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.write(".gitignore", "*.o\n")
        self.write("src/base/status.o", b"\0")
        self.assertEqual([], self.findings((Excuse("none", "none", "none"),))[1:])


def load_tests(loader, tests, pattern):
    """Last: every rule has fired in a test."""
    del loader, pattern

    class Complete(unittest.TestCase):
        def test_every_rule_was_seen_to_fire(self):
            seen = EXERCISED | {"cycles"}
            self.assertEqual(set(), {rule.name for rule in catalogue.RULES} - seen)

    tests.addTest(Complete("test_every_rule_was_seen_to_fire"))
    return tests


if __name__ == "__main__":
    unittest.main()
