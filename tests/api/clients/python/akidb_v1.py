"""The messages and methods of proto/akidb/v1/akidb.proto, as protoc reads them: nothing is generated ahead."""

import pathlib
import subprocess
import tempfile

from google.protobuf import any_pb2  # noqa: F401: the file imports it
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = pathlib.Path(__file__).resolve().parents[4] / "proto"
NAME = "akidb.v1.AkidbService"


def _load():
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "akidb.bin")
        subprocess.run(["protoc", "-I", PROTO, f"--descriptor_set_out={out}", "akidb/v1/akidb.proto"], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    pool = descriptor_pool.Default()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName(NAME)


SERVICE = _load()
_FILE = SERVICE.file
for _name, _message in _FILE.message_types_by_name.items():
    globals()[_name] = message_factory.GetMessageClass(_message)
for _enum in _FILE.enum_types_by_name.values():
    globals().update({value.name: value.number for value in _enum.values})


class Stub:
    """Each method by its name, as generated code has it."""

    def __init__(self, channel):
        for method in SERVICE.methods:
            kind = "stream_stream" if method.client_streaming else "unary_unary"
            answer = message_factory.GetMessageClass(method.output_type)
            call = getattr(channel, kind)(f"/{NAME}/{method.name}", request_serializer=lambda m: m.SerializeToString(),
                                          response_deserializer=answer.FromString)
            setattr(self, method.name, call)
