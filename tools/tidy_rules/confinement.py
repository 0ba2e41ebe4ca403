"""Which files may include a library's or the system's headers, and call the system."""
import functools
import re
from typing import NamedTuple, Optional

from .layers import is_test_file
from .rule import Rule
from .tree import line_of, matches


class Confined(NamedTuple):
    header: str  # regular expression over the include's name, from its start
    homes: tuple  # globs
    files_max: Optional[int] = None  # per home; None: any number
    tests: bool = False  # whether tests may include it anywhere


_JSON_FILES = ("src/*_json.cc", "src/*_json.h", "src/*_json_test.cc", "src/*_json_bench.cc")
_ISA_FILES = ("src/simd/*", "src/base/crc32c.cc")

LIBRARIES = (
    Confined(r"sqlite3", ("src/catalog/catalog.cc", "src/catalog/sqlite_files.cc")),
    Confined(r"boost/", ("src/api/rest/*",)),
    Confined(r"(grpc|grpcpp|google/protobuf)/|[a-z_0-9/]+\.pb\.h$", ("src/api/grpc/*",)),
    Confined(r"onnxruntime", ("src/embedding/*.cc",), files_max=1),
    Confined(r"curl/", ("src/cli/*.cc",), files_max=1),
    Confined(r"simdjson", _JSON_FILES),
    Confined(r"gumbo\.h", ("src/cli/documents/*",)),
    Confined(r"cmark\.h", ("src/cli/documents/*.cc",)),
    Confined(r"CLI/", ("src/cli/*", "src/server/*")),
    Confined(r"toml\+\+", ("src/server/*.cc",), files_max=1),
    Confined(r"(fmt|spdlog)/", ("src/base/log.cc", "src/cli/*")),
    Confined(r"roaring/", ("src/engine/bitmap.cc",)),
    Confined(r"unicode/", ("src/embedding/tokenizer/*.cc", "src/types/text/*.cc",
                             "src/cli/terminal.cc")),
    Confined(r"libstemmer\.h", ("src/types/text/stemmer.cc",)),
    Confined(r"(zstd|zdict)\.h", ("src/storage/segment/payload_codec.cc",
                                "src/api/rest/content_coding*.cc")),
    Confined(r"zlib\.h", ("src/api/rest/content_coding*.cc",)),
    Confined(r"liburing", ("src/env/*.cc",), files_max=1),
    Confined(r"openssl/", ("src/base/sha256.cc", "src/types/uuid.cc")),
    Confined(r"(gtest|gmock)/", ("tests/*", "src/*_fixture.h", "src/*_fixture.cc"), tests=True),
    Confined(r"benchmark/", ("src/*_bench.cc", "bench/*")),
    Confined(r"(\w*mmintrin|immintrin|arm_neon|arm_acle|arm_sve|cpuid)\.h", _ISA_FILES),
)

# Files, processes and memory of the system belong to env. The others, each with its reason:
SYSTEM = (
    Confined(r"(fcntl|dirent|sys/file|sys/stat|sys/statvfs|sys/mman|sys/random|sys/uio)\.h",
             ("src/env/*",
              # pipes to pdftotext and the bounds of its run
              "src/cli/documents/child_process.cc"), tests=True),
    Confined(r"(filesystem|fstream)$",
             ("src/env/*",
              # walks the user's own folders, never the data folder
              "src/cli/documents/document_walker.cc",
              # unpacks models into the user's folder before any environment exists
              "src/cli/model_*.cc"), tests=True),
    Confined(r"(spawn|poll|sys/wait|sys/socket|netinet/\w+|arpa/inet|sys/epoll)\.h",
             ("src/env/*", "src/api/rest/*", "src/cli/documents/child_process.cc"), tests=True),
    Confined(r"(unistd|sys/ioctl|signal|csignal|termios)(\.h)?$",
             ("src/env/*",
              # the width of the terminal, and whether there is one
              "src/cli/*",
              # where the program lies: ONNX Runtime is looked for beside it
              "src/embedding/install_paths.cc",
              # SIGTERM and SIGINT
              "src/server/*"), tests=True),
    # Loaded at run time, because their closures would cost every start (ONNX Runtime, libcurl), or
    # because most machines lack them (libcuda, TensorRT).
    Confined(r"dlfcn\.h", ("src/embedding/*.cc", "src/cli/*.cc", "src/env/shared_library.cc"),
             files_max=1),
)

_CALL_NAMES = ("open", "openat", "creat", "fsync", "fdatasync", "rename", "renameat", "unlink",
               "unlinkat", "mkdir", "mkdirat", "rmdir", "fopen", "fdopen", "freopen", "mmap",
               "munmap", "ftruncate", "truncate", "pread", "pwrite", "opendir", "fallocate",
               "posix_fallocate", "flock", "getrandom", "tmpfile", "mkstemp", "mkdtemp")
_SYSTEM_CALL = re.compile(
    r"(?:(?<![\w.>:])(?:::|std::)?(?P<call>%s)\s*\()|(?P<type>std::(?:filesystem|[io]?fstream)\b)"
    % "|".join(_CALL_NAMES))
CALL_HOMES = ("src/env/*", "src/cli/documents/child_process.cc",
              "src/cli/documents/document_walker.cc", "src/cli/model_*.cc")
_DYNAMIC_LOAD = re.compile(r"(?<![\w.>])(?:::)?(dlopen|dlsym|dlmopen)\s*\(")


@functools.lru_cache(maxsize=None)
def _brought_in(tree):
    """header of ours -> names of outside headers that it brings in, directly or through another."""
    direct, ours = {}, {}
    for path in tree.cpp("src"):
        if path.endswith(".h"):
            direct[path] = {i.name for i in tree.includes(path) if not i.quoted}
            ours[path] = [f"src/{i.name}" for i in tree.includes(path) if i.quoted]
    changed = True
    while changed:
        changed = False
        for path, used in ours.items():
            before = len(direct[path])
            for other in used:
                direct[path] |= direct.get(other, set())
            changed = changed or len(direct[path]) != before
    return direct


def _allowed(confined, path):
    return matches(path, confined.homes) or (confined.tests and is_test_file(path))


def _home_folder(path):
    return "/".join(path.split("/")[:2])


def _check(tree, table):
    brought = _brought_in(tree)
    for confined in table:
        header, users = re.compile(confined.header), {}
        for path in tree.cpp("src"):
            for include in tree.includes(path):
                hidden = set() if not include.quoted else {
                    name for name in brought.get(f"src/{include.name}", ()) if header.match(name)}
                if not (hidden or (not include.quoted and header.match(include.name))):
                    continue
                if not _allowed(confined, path):
                    through = f" (through {include.name})" if hidden else ""
                    name = min(hidden) if hidden else include.name
                    yield path, include.line, (
                        f"<{name}>{through} is confined to {' '.join(confined.homes)}")
                elif not hidden and not is_test_file(path):
                    users.setdefault(_home_folder(path), []).append((path, include.line, include.name))
        for found in users.values():
            files = sorted({path for path, _, _ in found})
            if confined.files_max is not None and len(files) > confined.files_max:
                for path, line, name in found:
                    if path != files[0]:
                        yield path, line, (f"<{name}> is confined to {confined.files_max} file of "
                                           f"its module; {files[0]} has it already")


def library_headers(tree):
    yield from _check(tree, LIBRARIES)


def system_headers(tree):
    yield from _check(tree, SYSTEM)


def system_calls(tree):
    for path in tree.cpp("src"):
        if is_test_file(path):
            continue
        code = tree.plain_code(path)
        if not matches(path, CALL_HOMES):
            for match in _SYSTEM_CALL.finditer(code):
                yield path, line_of(code, match.start()), (
                    f"{match.group('call') or match.group('type')}: files are reached through "
                    "env/file_system.h")
        if not matches(path, ("src/embedding/*.cc", "src/cli/*.cc", "src/env/shared_library.cc")):
            for match in _DYNAMIC_LOAD.finditer(code):
                yield path, line_of(code, match.start()), (
                    f"{match.group(1)}: libraries are loaded by embedding, cli and env/shared_library.h")


RULES = (
    Rule("library-headers", "a library's headers stay in the files that adapt it", library_headers),
    Rule("system-headers", "headers of files, processes and sockets stay in env", system_headers),
    Rule("system-calls", "open, fsync, rename and their kin are called by env alone", system_calls),
)
