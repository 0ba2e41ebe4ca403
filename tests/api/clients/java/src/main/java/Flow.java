// The official Java client, unmodified, against the real server: its arguments are host and port.

import static io.qdrant.client.ConditionFactory.match;
import static io.qdrant.client.PointIdFactory.id;
import static io.qdrant.client.QueryFactory.fusion;
import static io.qdrant.client.QueryFactory.nearest;
import static io.qdrant.client.ValueFactory.value;
import static io.qdrant.client.VectorFactory.vector;
import static io.qdrant.client.VectorsFactory.namedVectors;
import static io.qdrant.client.WithPayloadSelectorFactory.enable;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.qdrant.client.QdrantClient;
import io.qdrant.client.QdrantGrpcClient;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.PayloadSchemaType;
import io.qdrant.client.grpc.Collections.SparseVectorConfig;
import io.qdrant.client.grpc.Collections.SparseVectorParams;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorParamsMap;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.Points.Direction;
import io.qdrant.client.grpc.Points.Fusion;
import io.qdrant.client.grpc.Points.OrderBy;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.PrefetchQuery;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.UpdateStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

public final class Flow {
  private static final String NAME = "java";
  private static final Filter EVEN = Filter.newBuilder().addMust(match("even", true)).build();
  private static QdrantClient client;

  private static <T> T of(ListenableFuture<T> future) throws Exception {
    return future.get(60, TimeUnit.SECONDS);
  }

  private static void check(boolean holds, Object what) {
    if (!holds) throw new AssertionError(what.toString());
  }

  private static void refused(ListenableFuture<?> future, Status.Code code) throws Exception {
    try {
      of(future);
    } catch (ExecutionException error) {
      StatusRuntimeException status = (StatusRuntimeException) error.getCause();
      check(status.getStatus().getCode() == code, status);
      return;
    }
    throw new AssertionError("not refused: " + code);
  }

  private static List<Long> idsOf(List<ScoredPoint> points) {
    return points.stream().map(point -> point.getId().getNum()).toList();
  }

  public static void main(String[] arguments) throws Exception {
    client = new QdrantClient(
        QdrantGrpcClient.newBuilder(arguments[0], Integer.parseInt(arguments[1]), false).build());
    check(of(client.healthCheckAsync(Duration.ofSeconds(60))).getTitle().equals("akidb"), "title");
    fill();
    query();
    change();
    refuse();
    client.close();
    System.out.println("ok");
  }

  private static void fill() throws Exception {
    VectorParams dense = VectorParams.newBuilder().setSize(2).setDistance(Distance.Cosine).build();
    CreateCollection creation = CreateCollection.newBuilder().setCollectionName(NAME)
        .setVectorsConfig(VectorsConfig.newBuilder().setParamsMap(
            VectorParamsMap.newBuilder().putMap("dense", dense)))
        .setSparseVectorsConfig(SparseVectorConfig.newBuilder().putMap(
            "words", SparseVectorParams.getDefaultInstance()))
        .build();
    check(of(client.createCollectionAsync(creation)).getResult(), "create");
    refused(client.createCollectionAsync(creation), Status.Code.ALREADY_EXISTS);
    check(of(client.collectionExistsAsync(NAME)), "exists");
    of(client.createPayloadIndexAsync(NAME, "n", PayloadSchemaType.Integer, null, true, null, null));
    List<PointStruct> points = new ArrayList<>();
    for (int i = 1; i <= 9; i++) {
      points.add(PointStruct.newBuilder().setId(id(i))
          .setVectors(namedVectors(Map.of(
              "dense", vector((float) i, (float) (10 - i)),
              "words", vector(List.of(1f, i / 10f), List.of(i % 3, 7)))))
          .putAllPayload(Map.of("n", value(i), "even", value(i % 2 == 0)))
          .build());
    }
    check(of(client.upsertAsync(NAME, points)).getStatus() == UpdateStatus.Completed, "upsert");
  }

  private static void query() throws Exception {
    List<ScoredPoint> hits = of(client.queryAsync(QueryPoints.newBuilder().setCollectionName(NAME)
        .setQuery(nearest(1f, 0f)).setUsing("dense").setFilter(EVEN).setLimit(2)
        .setWithPayload(enable(true)).build()));
    check(idsOf(hits).equals(List.of(8L, 6L)), hits);
    check(hits.get(0).getPayloadMap().get("n").getIntegerValue() == 8, hits);
    hits = of(client.queryAsync(QueryPoints.newBuilder().setCollectionName(NAME)
        .addPrefetch(PrefetchQuery.newBuilder().setQuery(nearest(1f, 0f)).setUsing("dense").setLimit(3))
        .addPrefetch(PrefetchQuery.newBuilder().setQuery(nearest(List.of(1f), List.of(7)))
            .setUsing("words").setLimit(3))
        .setQuery(fusion(Fusion.RRF)).build()));
    check(idsOf(hits).equals(List.of(9L, 8L, 7L)), hits);
    var page = of(client.scrollAsync(ScrollPoints.newBuilder().setCollectionName(NAME).setLimit(2)
        .setOrderBy(OrderBy.newBuilder().setKey("n").setDirection(Direction.Desc)).build()));
    check(page.getResult(0).getId().getNum() == 9 && page.getResult(1).getId().getNum() == 8, page);
  }

  private static void change() throws Exception {
    of(client.setPayloadAsync(NAME, Map.of("seen", value(true)), List.of(id(3)), true, null, null));
    var record = of(client.retrieveAsync(NAME, id(3), true, false, null)).get(0);
    check(record.getPayloadMap().get("seen").getBoolValue() && record.getPayloadCount() == 3, record);
    of(client.deleteAsync(NAME, EVEN));
    check(of(client.countAsync(NAME)) == 5, "count");
  }

  private static void refuse() throws Exception {
    refused(client.queryAsync(QueryPoints.newBuilder().setCollectionName(NAME)
        .setQuery(nearest(1f, 2f, 3f)).setUsing("dense").build()), Status.Code.INVALID_ARGUMENT);
    refused(client.getCollectionInfoAsync("nothing"), Status.Code.NOT_FOUND);
    check(of(client.deleteCollectionAsync(NAME)).getResult(), "delete");
    refused(client.countAsync(NAME), Status.Code.NOT_FOUND);
  }
}
