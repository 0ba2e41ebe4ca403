"""More texts than a model's queue takes, and clients that leave: all are answered, and nothing stays behind."""

import asyncio
import json
import os
import random
import re
import unittest

from server_process import ServerTestCase, model_missing, wait_until

MODEL = "all-minilm-l6-v2"
QUEUE_MAX = 100
ANSWER_TIMEOUT_S = 240
MEMORY_MAX_MB = 400  # more than before, at most: that of the requests that wait, and of the runs


def post(body, path="/v1/embeddings"):
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


async def read_reply(reader):
    """Status, headers and body."""
    reply = await reader.read()
    head, _, body = reply.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split(" ")[1]), headers, body


async def open_connections(port, count):
    return await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(count)))


@unittest.skipIf(model_missing(), model_missing())
class DefaultOverload(ServerTestCase):
    """What a server does that nobody has told what to expect."""

    environment = {"AKIDB_QUERY_CACHE_BYTES": "0", "AKIDB_EMBEDDING_PROVIDERS": "cpu"}

    def setUp(self):
        super().setUp()
        self.ok("PUT", "/collections/c", {"vectors": {"size": 384, "distance": "Cosine"}})
        points = [{"id": i, "vector": {"text": f"point {i}", "model": MODEL}} for i in range(10)]
        self.ok("PUT", "/collections/c/points?wait=true", {"points": points})

    def test_a_thousand_texts_at_once_are_answered_or_told_when_to_come_again(self):
        replies, searches = asyncio.run(asyncio.wait_for(self.ask_at_once(1000), ANSWER_TIMEOUT_S))
        self.assertEqual(len(replies), 1000)
        statuses = [status for status, _, _ in replies]
        self.assertLessEqual(set(statuses), {200, 429})
        self.assertGreater(statuses.count(200), 0)
        for status, headers, body in replies:
            if status == 429:
                self.assertIn(int(headers["retry-after"]), range(1, 61), body)
        # Those without a text overtake those with one.
        self.assertEqual([status for status, _ in searches], [200] * len(searches))
        self.assertGreater(searches[-1][1], 0)

    async def ask_at_once(self, count):
        """The replies to as many texts; and of searches with a vector, how many texts still waited behind each."""
        replies = []

        async def ask(number, reader, writer):
            text = f"text {number} " + "pump " * 40
            if number % 3:
                writer.write(post({"input": text, "input_type": "query" if number % 2 else "document"}))
            else:
                query = {"query": {"text": text, "model": MODEL}}
                writer.write(post(query, "/collections/c/points/query"))
            try:
                replies.append(await read_reply(reader))
            finally:
                writer.close()

        connections = await open_connections(self.server.port, count)
        asking = [asyncio.ensure_future(ask(i, *connection)) for i, connection in enumerate(connections)]
        searches = []
        for _ in range(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            writer.write(post({"query": [0.1] * 384}, "/collections/c/points/query"))
            status, _, _ = await read_reply(reader)
            searches.append((status, count - len(replies)))
            writer.close()
        await asyncio.gather(*asking)
        return replies, searches


@unittest.skipIf(model_missing(), model_missing())
class Overload(ServerTestCase):
    # The number of texts is what refuses others, not the time that they take.
    environment = {"AKIDB_EMBEDDING_QUEUE_TEXTS_MAX": str(QUEUE_MAX), "AKIDB_REQUEST_TIMEOUT_S": "900",
                   "AKIDB_QUERY_CACHE_BYTES": "0", "AKIDB_EMBEDDING_PROVIDERS": "cpu"}

    def setUp(self):
        super().setUp()
        self.check_serves()

    def check_serves(self):
        data = self.ok("POST", "/v1/embeddings", {"input": "the first and the last"}).json["data"]
        self.assertEqual(len(data[0]["embedding"]), 384)

    def check_nothing_is_left(self):
        def idle():
            rows = self.ok("GET", "/v1/models").json["data"]
            return next(row for row in rows if row["id"] == MODEL)["akidb"]["requests"] == 0

        wait_until(idle, ANSWER_TIMEOUT_S)
        self.assertIn(f'akidb_model_queued_texts{{model="{MODEL}"}} 0\n', self.ok("GET", "/metrics").text)
        self.check_serves()
        # Room that is still held for anyone would have this refused.
        texts = [f"number {i} of a queue" for i in range(QUEUE_MAX)]
        self.assertEqual(len(self.ok("POST", "/v1/embeddings", {"input": texts}).json["data"]), QUEUE_MAX)

    def peak_memory_mb(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) / 1024

    def test_a_thousand_requests_at_once_against_a_queue_of_a_hundred(self):
        before = self.peak_memory_mb()
        replies = asyncio.run(asyncio.wait_for(self.ask_at_once(1000), ANSWER_TIMEOUT_S))
        self.assertEqual(len(replies), 1000)
        for status, headers, body in replies:
            if status == 200:
                self.assertEqual(len(json.loads(body)["data"][0]["embedding"]), 384)
                continue
            self.assertEqual(status, 429, body)
            self.assertIn(int(headers["retry-after"]), range(1, 61))
            error = json.loads(body)["error"]
            self.assertEqual(error["type"], "rate_limit_error")
            self.assertIn("too many texts", error["message"])
        statuses = [status for status, _, _ in replies]
        self.assertGreaterEqual(statuses.count(200), QUEUE_MAX)
        self.assertGreater(statuses.count(429), 0)
        self.assertLess(self.peak_memory_mb() - before, MEMORY_MAX_MB)
        self.check_nothing_is_left()

    async def ask_at_once(self, count):
        connections = await open_connections(self.server.port, count)

        async def ask(number, reader, writer):
            kind = "query" if number % 2 else "document"
            # None is equal to another: those would be run once.
            writer.write(post({"input": f"text {number} " + "pump " * 200, "input_type": kind}))
            try:
                return await read_reply(reader)
            finally:
                writer.close()

        return await asyncio.gather(*(ask(i, *connection) for i, connection in enumerate(connections)))

    def test_clients_that_leave_in_the_middle(self):
        seed = int(os.environ.get("AKIDB_TEST_SEED") or random.randrange(2**32))
        print(f"AKIDB_TEST_SEED={seed}")
        answered = asyncio.run(asyncio.wait_for(self.storm(random.Random(seed)), ANSWER_TIMEOUT_S))
        self.assertTrue(answered)
        self.assertLessEqual(set(answered), {200, 429})
        self.check_nothing_is_left()

    async def storm(self, chance):
        """300 clients, of which two in three leave; the statuses that the others got."""
        answers = asyncio.Queue()

        async def client(number, texts, kind, leaves):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            words = [f"client {number} text {i} " + "oil " * (number % 60) for i in range(texts)]
            request = post({"input": words, "input_type": kind})
            writer.write(request[:len(request) // 2] if leaves == "in the request" else request)
            await writer.drain()
            if leaves == "after another's answer":
                await answers.get()
            if leaves == "never":
                status, _, _ = await read_reply(reader)
                # Wakes some of those that wait for an answer.
                for _ in range(4):
                    answers.put_nowait(status)
                writer.close()
                return status
            writer.transport.abort()
            return None

        ways = ["in the request", "at once", "after another's answer", "never", "never"]
        clients = []
        for number in range(300):
            way = "never" if number < 60 else chance.choice(ways)
            kind = chance.choice(["query", "document"])
            clients.append(client(number, chance.randrange(1, 16), kind, way))
        statuses = await asyncio.gather(*clients)
        return [status for status in statuses if status is not None]


if __name__ == "__main__":
    unittest.main()
