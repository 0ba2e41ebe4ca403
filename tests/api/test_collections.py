"""Creating, describing, listing and deleting collections."""

import unittest

from server_process import ServerTestCase


class Collections(ServerTestCase):
    def test_a_collection_lives_from_creation_to_deletion(self):
        self.assertEqual(self.ok("GET", self.path + "/exists").result, {"exists": False})
        self.assertIs(self.ok("PUT", self.path, {"vectors": {"size": 4, "distance": "Dot"}}).result, True)
        self.assertEqual(self.ok("GET", self.path + "/exists").result, {"exists": True})
        names = [row["name"] for row in self.ok("GET", "/collections").result["collections"]]
        self.assertIn(self.collection, names)
        self.assertIs(self.ok("DELETE", self.path).result, True)
        self.assertIs(self.ok("DELETE", self.path).result, False)
        self.refused(404, "GET", self.path)

    def test_the_envelope(self):
        body = self.ok("GET", "/collections").json
        self.assertEqual(body["status"], "ok")
        self.assertIsInstance(body["time"], float)

    def test_the_description_round_trips(self):
        options = {
            "hnsw_config": {"m": 8, "ef_construct": 64},
            "optimizers_config": {"indexing_threshold": 5},
            "quantization_config": {"scalar": {"type": "int8", "always_ram": True}},
            "metadata": {"owner": "me"},
            "on_disk_payload": False,
        }
        self.create({"size": 4, "distance": "Cosine", "on_disk": True}, **options)
        info = self.ok("GET", self.path).result
        self.assertEqual(info["status"], "green")
        self.assertEqual(info["optimizer_status"], "ok")
        self.assertEqual(info["points_count"], 0)
        self.assertEqual(info["payload_schema"], {})
        self.assertNotIn("warnings", [k for k, v in info.items() if v is None])
        config = info["config"]
        self.assertEqual(config["params"]["vectors"], {"size": 4, "distance": "Cosine", "on_disk": True})
        self.assertIs(config["params"]["on_disk_payload"], False)
        self.assertEqual(config["hnsw_config"]["m"], 8)
        self.assertEqual(config["hnsw_config"]["full_scan_threshold"], 10000)
        self.assertEqual(config["optimizer_config"]["indexing_threshold"], 5)
        self.assertEqual(config["wal_config"]["wal_capacity_mb"], 32)
        self.assertEqual(config["quantization_config"], options["quantization_config"])
        self.assertEqual(config["metadata"], {"owner": "me"})

    def test_options_that_are_not_known_are_never_given_back(self):
        graph = {"m": 8, "unknown": 1}
        scalar = {"scalar": {"type": "int8", "unknown": 1}, "unknown": 1}
        vector = {
            "size": 4, "distance": "Cosine", "unknown": 1, "hnsw_config": graph, "quantization_config": scalar,
            "multivector_config": {"comparator": "max_sim", "unknown": 1},
        }
        sparse = {"modifier": "idf", "index": {"on_disk": True, "unknown": 1}, "unknown": 1}
        limits = {"enabled": False, "sparse_config": {"unknown": {"max_length": 5, "unknown": 1}}, "unknown": 1}
        changes = {
            "hnsw_config": graph,
            "optimizers_config": {"indexing_threshold": 5, "unknown": 1},
            "quantization_config": scalar,
            "strict_mode_config": limits,
            "unknown": {},
        }
        payload = {"memory": "cached", "unknown": 1}
        self.create(
            {"a": vector}, sparse_vectors={"s": sparse}, **changes, payload=payload,
            wal_config={"wal_capacity_mb": 1, "unknown": 1}, metadata={"unknown": {"unknown": 1}},
        )
        stemmer = {"type": "snowball", "language": "english", "unknown": 1}
        keyword = {"type": "keyword", "is_tenant": True}
        for field, schema in (("k", keyword), ("t", {"type": "text", "stemmer": stemmer})):
            index = {"field_name": field, "field_schema": {**schema, "unknown": 1}}
            self.ok("PUT", self.path + "/index", index)

        def check():
            info = self.ok("GET", self.path).result
            params = info["config"]["params"]
            self.assertEqual(params["vectors"]["a"], {
                "size": 4, "distance": "Cosine", "hnsw_config": {"m": 8},
                "quantization_config": {"scalar": {"type": "int8"}}, "multivector_config": {"comparator": "max_sim"},
            })
            self.assertEqual(params["sparse_vectors"]["s"], {"modifier": "idf", "index": {"on_disk": True}})
            self.assertEqual(params["payload"], {"memory": "cached"})
            config = info["config"]
            self.assertEqual(config["quantization_config"], {"scalar": {"type": "int8"}})
            self.assertEqual(
                config["strict_mode_config"], {"enabled": False, "sparse_config": {"unknown": {"max_length": 5}}})
            self.assertEqual(config["metadata"], {"unknown": {"unknown": 1}})
            for options in ("hnsw_config", "optimizer_config", "wal_config"):
                self.assertNotIn("unknown", config[options])
            self.assertEqual(info["payload_schema"]["k"]["params"], keyword)
            stored = {"type": "snowball", "language": "english"}
            self.assertEqual(info["payload_schema"]["t"]["params"], {"type": "text", "stemmer": stored})
            return config

        before = check()
        vectors = {"a": {"on_disk": True, "hnsw_config": graph, "quantization_config": scalar, "unknown": 1}}
        params = {"payload": payload, "unknown": 1}
        patch = {**changes, "vectors": vectors, "sparse_vectors": {"s": sparse}, "params": params}
        self.ok("PATCH", self.path, patch)
        self.ok("PATCH", self.path, {"vectors": {"a": {"hnsw_config": {"unknown": 1}}}})
        changed = self.ok("GET", self.path).result["config"]["params"]["vectors"]["a"]
        self.assertEqual(changed.pop("on_disk"), True)
        self.assertNotIn("hnsw_config", changed)
        self.ok("PUT", self.path + "/vectors/b", {"dense": vector})
        self.ok("PUT", self.path + "/vectors/r", {"sparse": sparse})
        after = self.ok("GET", self.path).result["config"]
        self.assertEqual(after["params"]["vectors"]["b"], before["params"]["vectors"]["a"])
        self.assertEqual(after["params"]["sparse_vectors"]["r"], before["params"]["sparse_vectors"]["s"])
        for part in ("hnsw_config", "optimizer_config", "quantization_config", "strict_mode_config"):
            self.assertEqual(after[part], before[part])

    def test_named_vectors_of_every_metric(self):
        vectors = {m: {"size": 2, "distance": m} for m in ("Cosine", "Dot", "Euclid", "Manhattan")}
        self.create(vectors)
        self.assertEqual(self.ok("GET", self.path).result["config"]["params"]["vectors"], vectors)

    def test_creating_again_is_a_conflict(self):
        self.create()
        error = self.refused(409, "PUT", self.path, {"vectors": {"size": 4, "distance": "Dot"}})
        self.assertEqual(error, f"Wrong input: Collection `{self.collection}` already exists!")

    def test_an_unknown_collection_is_named(self):
        error = self.refused(404, "GET", "/collections/nobody")
        self.assertEqual(error, "Not found: Collection `nobody` doesn't exist!")

    def test_options_out_of_range_are_validation_errors_with_their_path(self):
        body = {"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"ef_construct": 1}}
        self.assertEqual(
            self.refused(422, "PUT", self.path, body),
            "Validation error in JSON body: [hnsw_config.ef_construct: value 1 invalid, must be 4 or larger]",
        )
        self.assertEqual(self.ok("GET", self.path + "/exists").result, {"exists": False})

    def test_wrong_types_and_unknown_metrics_are_format_errors(self):
        for vectors in ({"size": "4", "distance": "Dot"}, {"size": 4, "distance": "Hamming"}, {"size": 4}, [4]):
            with self.subTest(vectors=vectors):
                error = self.refused(400, "PUT", self.path, {"vectors": vectors})
                self.assertTrue(error.startswith("Format error in JSON body: vectors"), error)

    def test_names_that_can_not_be(self):
        for name in ("a%2Fb", "%20" * 256, "a%00b", "a%3Fb", "a%0Ab", "a%1B%5B2Jb", "a%7Fb"):
            with self.subTest(name=name):
                error = self.refused(422, "PUT", f"/collections/{name}", {"vectors": {"size": 4, "distance": "Dot"}})
                self.assertIn("collection_name", error)

    def test_names_in_any_script(self):
        path = "/collections/%E6%89%8B%E5%86%8C%20%C3%A9"
        self.ok("PUT", path, {"vectors": {"size": 4, "distance": "Dot"}})
        names = [row["name"] for row in self.ok("GET", "/collections").result["collections"]]
        self.assertIn("手册 é", names)
        self.ok("DELETE", path)


    def test_aliases(self):
        self.create()
        self.upsert([{"id": 1, "vector": [1, 2, 3, 4]}])
        name, alias, other = self.collection, self.collection + "_alias", self.collection + "_other"
        actions = [
            {"create_alias": {"collection_name": name, "alias_name": alias}},
            {"rename_alias": {"old_alias_name": alias, "new_alias_name": other}},
        ]
        self.assertIs(self.ok("POST", "/collections/aliases", {"actions": actions}).result, True)
        described = {"alias_name": other, "collection_name": name}
        self.assertEqual(self.ok("GET", self.path + "/aliases").result, {"aliases": [described]})
        self.assertIn(described, self.ok("GET", "/aliases").result["aliases"])
        count = self.ok("POST", f"/collections/{other}/points/count", {}).result["count"]
        self.assertEqual(count, 1)
        self.assertTrue(self.ok("GET", f"/collections/{other}/exists").result["exists"])
        nowhere = {"collection_name": "none", "alias_name": "z"}
        bad = [{"delete_alias": {"alias_name": other}}, {"create_alias": nowhere}]
        error = self.refused(404, "POST", "/collections/aliases", {"actions": bad})
        self.assertEqual(error, "Not found: Collection `none` doesn't exist!")
        self.assertTrue(self.ok("GET", f"/collections/{other}/exists").result["exists"])
        for actions, word in (([{}], "actions[0]"), ([{"create_alias": {"alias_name": "a"}}], "collection_name")):
            self.assertIn(word, self.refused(400, "POST", "/collections/aliases", {"actions": actions}))
        empty = "[actions[0].create_alias.alias_name: must not be empty]"
        for wrong, text in (("", empty), ("a/", "[alias_name: `a/` holds")):
            actions = [{"create_alias": {"collection_name": name, "alias_name": wrong}}]
            self.assertIn(text, self.refused(422, "POST", "/collections/aliases", {"actions": actions}))
        self.ok("POST", "/collections/aliases", {"actions": bad[:1]})
        self.assertFalse(self.ok("GET", f"/collections/{other}/exists").result["exists"])
        self.assertIn("none", self.refused(404, "GET", "/collections/none/aliases"))


if __name__ == "__main__":
    unittest.main()
