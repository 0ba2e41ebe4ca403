"""Calls that end early, because their time is over or their client leaves: their work stops, and of a write there is
all or nothing. What was applied is counted by the sequence numbers that writes before and after are given."""

import os
import random
import unittest

import grpc
from qdrant_client import grpc as messages
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsStub
from qdrant_client.grpc.points_service_pb2_grpc import PointsStub

from grpc_process import start_with_grpc
from http2_frames import CANCEL, RST_STREAM, Connection, frame, headers, message

SEED = int(os.environ.get("AKIDB_TEST_SEED", "4711"))
POINTS = 500  # of a batch


class EndedCalls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # One thread: what is asked of it is done in turn.
        cls.server, cls.port = start_with_grpc("--request-threads", "1")
        cls.addClassCleanup(cls.server.close)
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.port}")
        cls.addClassCleanup(cls.channel.close)
        cls.points = PointsStub(cls.channel)

    def setUp(self):
        collections = CollectionsStub(self.channel)
        vectors = messages.VectorsConfig(params=messages.VectorParams(size=2, distance=messages.Dot))
        collections.Create(messages.CreateCollection(collection_name="c", vectors_config=vectors))
        self.addCleanup(collections.Delete, messages.DeleteCollection(collection_name="c"))
        self.first = self.write()

    def write(self):
        """The sequence number of a write that is waited for."""
        point = self.batch(-1, count=1)
        return self.points.Upsert(point, timeout=60).result.operation_id

    def structs(self, number, count=POINTS):
        first = (number + 1) * POINTS
        vectors = messages.Vectors(vector=messages.Vector(data=[1, number]))
        return [messages.PointStruct(id=messages.PointId(num=first + i), vectors=vectors) for i in range(count)]

    def batch(self, number, count=POINTS):
        return messages.UpsertPoints(collection_name="c", wait=True, points=self.structs(number, count))

    def count(self, number):
        ids = [messages.PointId(num=(number + 1) * POINTS + i) for i in range(POINTS)]
        condition = messages.Condition(has_id=messages.HasIdCondition(has_id=ids))
        asked = messages.CountPoints(collection_name="c", exact=True, filter=messages.Filter(must=[condition]))
        return self.points.Count(asked, timeout=60).result.count

    def applied(self, batches):
        """The numbers of the batches that are there, each of them whole; no write is lost or counted twice."""
        before, own = self.write(), 1
        while True:
            counts = [self.count(number) for number in range(batches)]
            after = self.write()
            if after == before + 1:
                break
            before, own = after, own + 1  # one whose caller has gone came in between
        self.assertLessEqual(set(counts), {0, POINTS})
        applied = [number for number, count in enumerate(counts) if count]
        self.assertEqual(before - self.first, len(applied) + own)
        return applied

    def await_all(self, connection, stream):
        """What was asked on this connection before is over, too."""
        asked = messages.CountPoints(collection_name="c").SerializeToString()
        connection.send(headers(stream, "/qdrant.Points/Count") + message(stream, asked))
        connection.await_end(stream)

    def test_no_time_changes_nothing(self):
        with Connection(self.port) as connection:
            for number in range(10):
                stream = 2 * number + 1
                connection.send(headers(stream, "/qdrant.Points/Upsert", grpc_timeout=("0n", "0m", "0S")[number % 3])
                                + message(stream, self.batch(number).SerializeToString()))
                connection.await_end(stream)
            self.await_all(connection, 101)
        self.assertEqual(self.applied(10), [])

    def test_a_millisecond_is_enough_or_not(self):
        answered = set()
        for number in range(20):
            try:
                self.points.Upsert(self.batch(number), timeout=0.001)
                answered.add(number)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        with Connection(self.port) as connection:
            for number in range(20, 40):
                stream = 2 * number + 1
                connection.send(headers(stream, "/qdrant.Points/Upsert", grpc_timeout="1m")
                                + message(stream, self.batch(number).SerializeToString()))
                connection.await_end(stream)
            self.await_all(connection, 101)
        self.assertLessEqual(answered, set(self.applied(40)))

    def test_a_cancelled_upsert_is_whole_or_not_there(self):
        print(f"AKIDB_TEST_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        with Connection(self.port) as connection:
            for number in range(40):
                stream = 2 * number + 1
                whole = headers(stream, "/qdrant.Points/Upsert") + message(
                    stream, self.batch(number).SerializeToString())
                ended = frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4, "big"))
                if chance.randrange(2):
                    connection.send(whole + ended)
                    continue
                connection.send(whole)
                for _ in range(chance.randrange(3)):
                    self.points.Get(messages.GetPoints(collection_name="c"), timeout=60)
                connection.send(ended)
            self.await_all(connection, 101)
        self.applied(40)

    def test_of_a_cancelled_batch_the_first_operations_are_applied(self):
        operation = messages.PointsUpdateOperation
        with Connection(self.port) as connection:
            for round_ in range(5):
                operations = [operation(upsert=operation.PointStructList(points=self.structs(10 * round_ + i)))
                              for i in range(10)]
                asked = messages.UpdateBatchPoints(collection_name="c", wait=True, operations=operations)
                stream = 2 * round_ + 1
                connection.send(headers(stream, "/qdrant.Points/UpdateBatch")
                                + message(stream, asked.SerializeToString()))
                connection.send(frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4, "big")))
            self.await_all(connection, 101)
        applied = self.applied(50)
        for round_ in range(5):
            done = [number - 10 * round_ for number in applied if number // 10 == round_]
            self.assertEqual(done, list(range(len(done))))

    def test_the_work_of_a_cancelled_call_stops(self):
        """It would take minutes, and the next call waits for its thread."""
        text = {"text": messages.Value(string_value="word " * 50)}
        points = self.structs(0, 5000)
        for point in points:
            point.payload["text"].CopyFrom(text["text"])
        self.points.Upsert(messages.UpsertPoints(collection_name="c", wait=True, points=points), timeout=60)
        words = [messages.Condition(field=messages.FieldCondition(key="text", match=messages.Match(text=f"no{i}")))
                 for i in range(20)]
        query = messages.QueryPoints(collection_name="c", filter=messages.Filter(should=words), limit=10,
                                     query=messages.Query(nearest=messages.VectorInput(
                                         dense=messages.DenseVector(data=[1, 2]))))
        asked = messages.QueryBatchPoints(collection_name="c", query_points=[query] * 2000)
        for _ in range(3):
            call = self.points.QueryBatch.future(asked)
            call.cancel()
        call = self.points.QueryBatch.future(asked, timeout=1)
        self.assertEqual(call.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        with Connection(self.port) as connection:
            connection.send(headers(1, "/qdrant.Points/QueryBatch") + message(1, asked.SerializeToString()))
            connection.send(frame(RST_STREAM, 0, 1, CANCEL.to_bytes(4, "big")))
            self.await_all(connection, 3)
        self.points.Count(messages.CountPoints(collection_name="c"), timeout=60)


if __name__ == "__main__":
    unittest.main()
