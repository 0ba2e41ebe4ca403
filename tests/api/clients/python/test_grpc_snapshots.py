"""Snapshots over gRPC: made, listed and deleted, of one collection and of all; the same that REST shows."""

import unittest

import grpc
from qdrant_client.grpc import snapshots_service_pb2 as messages
from qdrant_client.grpc.snapshots_service_pb2_grpc import SnapshotsStub

from grpc_process import start_with_grpc


class Snapshots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, port = start_with_grpc()
        cls.addClassCleanup(cls.server.close)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        cls.addClassCleanup(channel.close)
        cls.snapshots = SnapshotsStub(channel)

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1]
        self.rest("PUT", "", {"vectors": {"size": 2, "distance": "Dot"}})
        points = [{"id": i, "vector": [1, i], "payload": {"n": i}} for i in range(20)]
        self.rest("PUT", "/points?wait=true", {"points": points})

    def rest(self, method, path, body=None):
        reply = self.server.request(method, f"/collections/{self.name}{path}", body)
        self.assertEqual(reply.status, 200, reply.text)
        return reply.result

    def refused(self, code, call, request):
        with self.assertRaises(grpc.RpcError) as raised:
            call(request)
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        return raised.exception.details()

    def test_of_a_collection(self):
        listing = messages.ListSnapshotsRequest(collection_name=self.name)
        self.assertEqual(list(self.snapshots.List(listing).snapshot_descriptions), [])
        reply = self.snapshots.Create(messages.CreateSnapshotRequest(collection_name=self.name))
        made = reply.snapshot_description
        self.assertGreater(reply.time, 0)
        (over_rest,) = self.rest("GET", "/snapshots")
        self.assertEqual((made.name, made.size, made.checksum),
                         (over_rest["name"], over_rest["size"], over_rest["checksum"]))
        self.assertEqual(made.creation_time.ToJsonString(), over_rest["creation_time"] + "Z")
        self.assertEqual(list(self.snapshots.List(listing).snapshot_descriptions), [made])
        self.rest("POST", "/points/delete?wait=true", {"points": [1, 2, 3]})
        location = f"file:///qdrant/snapshots/{self.name}/{made.name}"
        self.rest("PUT", "/snapshots/recover", {"location": location, "checksum": made.checksum})
        self.assertEqual(self.rest("POST", "/points/count", {})["count"], 20)
        deletion = messages.DeleteSnapshotRequest(collection_name=self.name, snapshot_name=made.name)
        self.snapshots.Delete(deletion)
        self.assertEqual(list(self.snapshots.List(listing).snapshot_descriptions), [])
        details = self.refused(grpc.StatusCode.NOT_FOUND, self.snapshots.Delete, deletion)
        self.assertIn(made.name, details)

    def test_of_the_whole_storage(self):
        made = self.snapshots.CreateFull(messages.CreateFullSnapshotRequest()).snapshot_description
        self.assertEqual(self.server.request("GET", "/snapshots").result[0]["checksum"], made.checksum)
        listing = messages.ListFullSnapshotsRequest()
        self.assertEqual(list(self.snapshots.ListFull(listing).snapshot_descriptions), [made])
        self.snapshots.DeleteFull(messages.DeleteFullSnapshotRequest(snapshot_name=made.name))
        self.assertEqual(list(self.snapshots.ListFull(listing).snapshot_descriptions), [])

    def test_what_is_not_there_is_refused(self):
        missing = grpc.StatusCode.NOT_FOUND
        calls = self.snapshots
        self.refused(missing, calls.Create, messages.CreateSnapshotRequest(collection_name="nothing"))
        self.refused(missing, calls.List, messages.ListSnapshotsRequest(collection_name="nothing"))
        for name in ("nothing.snapshot", "../x", "", "a/b"):
            self.refused(missing, calls.DeleteFull, messages.DeleteFullSnapshotRequest(snapshot_name=name))
        # No name means no collection, and not the whole storage.
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.refused(invalid, calls.Create, messages.CreateSnapshotRequest())
        self.refused(invalid, calls.List, messages.ListSnapshotsRequest())
        self.refused(invalid, calls.Delete, messages.DeleteSnapshotRequest(snapshot_name="x"))


class Rights(unittest.TestCase):
    def test_they_are_those_of_rest(self):
        server, port = start_with_grpc("--api-key", "secret", "--read-only-api-key", "look")
        self.addCleanup(server.close)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            calls = SnapshotsStub(channel)

            def code(call, request, key):
                try:
                    call(request, metadata=[("api-key", key)])
                except grpc.RpcError as error:
                    return error.code()
                return grpc.StatusCode.OK

            denied = grpc.StatusCode.PERMISSION_DENIED
            creation = messages.CreateSnapshotRequest(collection_name="c")
            self.assertEqual(code(calls.Create, creation, "look"), denied)
            self.assertEqual(code(calls.CreateFull, messages.CreateFullSnapshotRequest(), "look"), denied)
            self.assertEqual(code(calls.ListFull, messages.ListFullSnapshotsRequest(), "look"), denied)
            self.assertEqual(code(calls.ListFull, messages.ListFullSnapshotsRequest(), "secret"), grpc.StatusCode.OK)
            self.assertEqual(code(calls.List, messages.ListSnapshotsRequest(collection_name="c"), "look"),
                             grpc.StatusCode.NOT_FOUND)


if __name__ == "__main__":
    unittest.main()
