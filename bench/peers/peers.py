"""Other programs behind one small interface, each with the settings that its own documentation and the
public benchmarks use. One call is one query; vectors have unit length and are compared by inner product.

A peer's module is imported when the peer is built: one that isn't installed is left out, and said so.
"""

import os
import pathlib

EFS = (10, 16, 25, 40, 64, 100, 160, 250, 400, 640)
HNSW_LINKS = 16
HNSW_WIDTH = 200
RERANKED = 100  # candidates that are compared exactly by those that don't walk a graph
SHARE_END = 10_000  # of the payload field `share`, as `akidb bench` has it


class Peer:
    name = ""
    efforts = EFS
    filters = False
    rows_min = 64  # that it can be built over: on so many an empty call is measured

    def build(self, rows, threads, folder, shares):
        """`rows` x dim, float32. `shares`: of each row, for those that have payloads."""
        raise NotImplementedError

    def prepare(self, query):
        """A query in the form that the library takes fastest; not timed."""
        return query

    def set_effort(self, effort):
        raise NotImplementedError

    def set_share(self, below):
        """Only rows whose share is below that; None: all."""
        raise NotImplementedError

    def search(self, query, k):
        """Row numbers of the k nearest."""
        raise NotImplementedError


class Hnswlib(Peer):
    name = "hnswlib"

    def build(self, rows, threads, folder, shares):
        import hnswlib

        self.index = hnswlib.Index(space="ip", dim=rows.shape[1])
        self.index.init_index(max_elements=len(rows), M=HNSW_LINKS, ef_construction=HNSW_WIDTH)
        self.index.add_items(rows, num_threads=threads)
        self.index.set_num_threads(1)

    def set_effort(self, effort):
        self.index.set_ef(effort)

    def search(self, query, k):
        return self.index.knn_query(query, k, num_threads=1)[0][0]


class FaissHnsw(Peer):
    name = "faiss HNSW+SQ8"

    def build(self, rows, threads, folder, shares):
        import faiss

        faiss.omp_set_num_threads(threads)
        self.index = faiss.IndexHNSWSQ(rows.shape[1], faiss.ScalarQuantizer.QT_8bit, HNSW_LINKS,
                                       faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = HNSW_WIDTH
        self.index.train(rows)
        self.index.add(rows)
        faiss.omp_set_num_threads(1)

    def prepare(self, query):
        return query.reshape(1, -1)

    def set_effort(self, effort):
        self.index.hnsw.efSearch = effort

    def search(self, query, k):
        return self.index.search(query, k)[1][0]


class FaissFastScan(Peer):
    """Inverted lists, product quantization with 4-bit tables in registers, exact comparison of the best."""

    name = "faiss IVF+PQ4 fast scan"
    efforts = (1, 2, 4, 8, 16, 32, 64, 128)
    rows_min = 640  # to train codes of 16 values without complaint

    def build(self, rows, threads, folder, shares):
        import faiss

        faiss.omp_set_num_threads(threads)
        lists = max(1, min(len(rows) // 40, int(len(rows) ** 0.5)))
        text = f"IVF{lists},PQ{rows.shape[1] // 2}x4fs,RFlat"
        self.index = faiss.index_factory(rows.shape[1], text, faiss.METRIC_INNER_PRODUCT)
        self.index.train(rows)
        self.index.add(rows)
        self.lists = faiss.extract_index_ivf(self.index.base_index)
        self.index.k_factor = RERANKED / 10
        faiss.omp_set_num_threads(1)

    def prepare(self, query):
        return query.reshape(1, -1)

    def set_effort(self, effort):
        self.lists.nprobe = effort

    def search(self, query, k):
        return self.index.search(query, k)[1][0]


class Scann(Peer):
    name = "ScaNN"
    efforts = (2, 4, 8, 16, 32, 64, 128)

    def build(self, rows, threads, folder, shares):
        import scann

        leaves = max(1, min(len(rows) // 10, int(len(rows) ** 0.5)))
        builder = scann.scann_ops_pybind.builder(rows, 10, "dot_product")
        builder = builder.set_n_training_threads(threads)
        builder = builder.tree(num_leaves=leaves, num_leaves_to_search=leaves, training_sample_size=len(rows))
        builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2)
        self.searcher = builder.reorder(RERANKED).build()

    def set_effort(self, effort):
        self.leaves = effort

    def search(self, query, k):
        return self.searcher.search(query, final_num_neighbors=k, pre_reorder_num_neighbors=RERANKED,
                                    leaves_to_search=self.leaves)[0]


class Usearch(Peer):
    name = "usearch"

    def build(self, rows, threads, folder, shares):
        import numpy
        from usearch.index import Index

        self.index = Index(ndim=rows.shape[1], metric="ip", dtype="f32", connectivity=HNSW_LINKS,
                           expansion_add=HNSW_WIDTH)
        self.index.add(numpy.arange(len(rows), dtype=numpy.uint64), rows, threads=threads)

    def set_effort(self, effort):
        self.index.expansion_search = effort

    def search(self, query, k):
        return self.index.search(query, k, threads=1).keys


class QdrantEdge(Peer):
    """One segment, 4-bit TurboQuant codes in memory, the best 2k rescored from the stored vectors."""

    name = "Qdrant Edge TurboQuant"
    filters = True

    def build(self, rows, threads, folder, shares):
        import qdrant_edge as edge

        self.edge = edge
        where = os.path.join(folder, "qdrant_edge")
        pathlib.Path(where).mkdir()
        codes = edge.TurboQuantQuantizationConfig(bits=edge.TurboQuantBitSize.Bits4, always_ram=True)
        graph = edge.HnswIndexConfig(m=HNSW_LINKS, ef_construct=HNSW_WIDTH, full_scan_threshold=10,
                                     max_indexing_threads=threads)
        vector = edge.EdgeVectorParams(size=rows.shape[1], distance=edge.Distance.Dot, quantization_config=codes,
                                       hnsw_config=graph)
        kilobytes = rows.nbytes // 1000
        optimizers = edge.EdgeOptimizersConfig(default_segment_number=1, max_segment_size=kilobytes * 10,
                                               indexing_threshold=min(1000, max(1, kilobytes // 4)))
        self.shard = edge.EdgeShard.create(
            where, edge.EdgeConfig(vectors=vector, optimizers=optimizers, max_search_threads=1))
        self.shard.update(edge.UpdateOperation.create_field_index("share", edge.PayloadSchemaType.Integer))
        for first in range(0, len(rows), 1000):
            numbers = range(first, min(first + 1000, len(rows)))
            points = [edge.Point(i, rows[i].tolist(), {"share": int(shares[i])}) for i in numbers]
            self.shard.update(edge.UpdateOperation.upsert_points(points))
        self.shard.flush()
        self.shard.optimize()
        self.filter = None

    def prepare(self, query):
        return query.tolist()

    def set_effort(self, effort):
        self.params = self.edge.SearchParams(
            hnsw_ef=effort, quantization=self.edge.QuantizationSearchParams(rescore=True, oversampling=2.0))

    def set_share(self, below):
        edge = self.edge
        self.filter = None
        if below is not None:
            condition = edge.FieldCondition("share", range=edge.RangeFloat(lt=float(below)))
            self.filter = edge.Filter(must=[condition])

    def search(self, query, k):
        edge = self.edge
        request = edge.QueryRequest(limit=k, query=edge.Query.Nearest(query), filter=self.filter, params=self.params)
        return [point.id for point in self.shard.query(request)]


ALL = (Hnswlib, FaissHnsw, FaissFastScan, Scann, Usearch, QdrantEdge)
