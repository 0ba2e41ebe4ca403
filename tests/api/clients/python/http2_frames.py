"""HTTP/2 by hand, for what no client's library sends: frames of RFC 9113."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Types of frames and flags: RFC 9113, 6. An error code: 7.
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CANCEL, ENHANCE_YOUR_CALM = 8, 11


def frame(kind, flags, stream, content=b""):
    return struct.pack(">I", len(content))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + content


def headers(stream, path="/qdrant.Points/Scroll", **more):
    """Literal fields without indexing (RFC 7541, 6.2.2)."""
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "te": "trailers",
              "content-type": "application/grpc"}
    fields.update({name.replace("_", "-"): value for name, value in more.items()})
    block = b"".join(b"\0" + bytes([len(k)]) + k.encode() + bytes([len(v)]) + v.encode() for k, v in fields.items())
    return frame(HEADERS, END_HEADERS, stream, block)


def message(stream, content, flags=END_STREAM):
    """Of a call, uncompressed, in frames of at most 16 KiB: what every peer takes."""
    content = b"\0" + struct.pack(">I", len(content)) + content
    pieces = [content[first : first + 16384] for first in range(0, len(content), 16384)]
    last = len(pieces) - 1
    return b"".join(frame(DATA, flags if i == last else 0, stream, piece) for i, piece in enumerate(pieces))


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.received = b""
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, content):
        self.socket.sendall(content)

    def frames(self):
        """(type, flags, stream, content) until the server closes."""
        while True:
            while len(self.received) >= 9:
                length = int.from_bytes(self.received[:3], "big")
                if len(self.received) < 9 + length:
                    break
                kind, flags, stream = self.received[3], self.received[4], int.from_bytes(self.received[5:9], "big")
                content, self.received = self.received[9 : 9 + length], self.received[9 + length :]
                yield kind, flags, stream, content
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not more:
                return
            self.received += more

    def await_end(self, *streams):
        """Until the server has ended all of them, one way or another."""
        left = set(streams)
        for kind, flags, stream, _ in self.frames():
            if kind == RST_STREAM or kind == HEADERS and flags & END_STREAM:
                left.discard(stream)
            if not left:
                return
        raise AssertionError(f"the connection ended before streams {left}")
