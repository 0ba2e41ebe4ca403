"""Where a rule is broken for a good reason. A row that excuses nothing is a finding itself."""
from typing import NamedTuple


class Excuse(NamedTuple):
    rule: str
    path: str  # glob
    reason: str


EXCUSES = (
    Excuse("parameters", "src/api/rest/http_parser.*", "overrides a virtual function of Boost.Beast"),
    Excuse("parameters", "src/cli/http_client.cc", "the form of libcurl's progress callback"),
    Excuse("printing", "tests/crash/planted/planted_main.cc", "a program whose findings people read"),
    Excuse("parameters", "src/catalog/sqlite_files.cc", "the form of SQLite's function that opens a file"),
    Excuse("printing", "tests/fuzz/decoders/decoder_fuzz.cc", "a program whose findings people read"),
    Excuse("printing", "tests/fuzz/fuzz_process.cc", "a program whose findings people read"),
    Excuse("raw-new", "src/embedding/tokenizer/paged_table.h",
           "pages are published once through atomic pointers, which own nothing"),
    Excuse("registry-hosts", "tests/api/clients/rust/Cargo.lock", "Cargo's own form names its index"),
    Excuse("sleep", "bench/embedding/embed_latency.cc", "queries come at a pace, whatever the others do"),
    Excuse("wall-clock", "tests/fuzz/grpc/*", "gRPC takes deadlines as times of day"),
    Excuse("wall-clock", "src/api/grpc/*", "gRPC gives and takes deadlines as times of day"),
)
