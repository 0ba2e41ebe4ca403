// The official Go client, unmodified, against the real server: its arguments are host and port.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const name = "go"

func must[T any](value T, err error) T {
	check(err == nil, "unexpected error", err)
	return value
}

func check(holds bool, what ...any) {
	if !holds {
		fmt.Fprintln(os.Stderr, append([]any{"FAILED:"}, what...)...)
		os.Exit(1)
	}
}

func refused(err error, code codes.Code) {
	check(status.Code(err) == code, "expected", code, "got", err)
}

func idsOf(points []*qdrant.ScoredPoint) string {
	ids := ""
	for _, point := range points {
		ids += strconv.FormatUint(point.GetId().GetNum(), 10) + " "
	}
	return ids
}

func main() {
	port := must(strconv.Atoi(os.Args[2]))
	client := must(qdrant.NewClient(&qdrant.Config{Host: os.Args[1], Port: port}))
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()

	check(must(client.HealthCheck(ctx)).GetTitle() == "akidb", "title")
	fill(ctx, client)
	query(ctx, client)
	change(ctx, client)
	refuse(ctx, client)
	fmt.Println("ok")
}

func fill(ctx context.Context, client *qdrant.Client) {
	creation := &qdrant.CreateCollection{
		CollectionName: name,
		VectorsConfig: qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{
			"dense": {Size: 2, Distance: qdrant.Distance_Cosine},
		}),
		SparseVectorsConfig: qdrant.NewSparseVectorsConfig(map[string]*qdrant.SparseVectorParams{"words": {}}),
	}
	check(client.CreateCollection(ctx, creation) == nil, "create")
	refused(client.CreateCollection(ctx, creation), codes.AlreadyExists)
	check(must(client.CollectionExists(ctx, name)), "exists")
	must(client.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{
		CollectionName: name, FieldName: "n", Wait: qdrant.PtrOf(true),
		FieldType: qdrant.FieldType_FieldTypeInteger.Enum(),
	}))
	var points []*qdrant.PointStruct
	for i := uint64(1); i <= 9; i++ {
		points = append(points, &qdrant.PointStruct{
			Id: qdrant.NewIDNum(i),
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
				"dense": qdrant.NewVector(float32(i), float32(10-i)),
				"words": qdrant.NewVectorSparse([]uint32{uint32(i % 3), 7}, []float32{1, float32(i) / 10}),
			}),
			Payload: qdrant.NewValueMap(map[string]any{"n": int64(i), "even": i%2 == 0}),
		})
	}
	done := must(client.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: name, Points: points, Wait: qdrant.PtrOf(true)}))
	check(done.GetStatus() == qdrant.UpdateStatus_Completed, "status", done)
}

func query(ctx context.Context, client *qdrant.Client) {
	even := &qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewMatchBool("even", true)}}
	hits := must(client.Query(ctx, &qdrant.QueryPoints{
		CollectionName: name, Query: qdrant.NewQuery(1, 0), Using: qdrant.PtrOf("dense"), Filter: even,
		Limit: qdrant.PtrOf(uint64(2)), WithPayload: qdrant.NewWithPayload(true),
	}))
	check(idsOf(hits) == "8 6 ", "filtered", hits)
	check(hits[0].GetPayload()["n"].GetIntegerValue() == 8, "payload", hits[0])
	hits = must(client.Query(ctx, &qdrant.QueryPoints{
		CollectionName: name,
		Prefetch: []*qdrant.PrefetchQuery{
			{Query: qdrant.NewQuery(1, 0), Using: qdrant.PtrOf("dense"), Limit: qdrant.PtrOf(uint64(3))},
			{Query: qdrant.NewQuerySparse([]uint32{7}, []float32{1}), Using: qdrant.PtrOf("words"), Limit: qdrant.PtrOf(uint64(3))},
		},
		Query: qdrant.NewQueryFusion(qdrant.Fusion_RRF),
	}))
	check(idsOf(hits) == "9 8 7 ", "hybrid", hits)
	page := must(client.Scroll(ctx, &qdrant.ScrollPoints{
		CollectionName: name, Limit: qdrant.PtrOf(uint32(2)),
		OrderBy: &qdrant.OrderBy{Key: "n", Direction: qdrant.Direction_Desc.Enum()},
	}))
	check(len(page) == 2 && page[0].GetId().GetNum() == 9 && page[1].GetId().GetNum() == 8, "order", page)
}

func change(ctx context.Context, client *qdrant.Client) {
	must(client.SetPayload(ctx, &qdrant.SetPayloadPoints{
		CollectionName: name, Wait: qdrant.PtrOf(true), Payload: qdrant.NewValueMap(map[string]any{"seen": true}),
		PointsSelector: qdrant.NewPointsSelector(qdrant.NewIDNum(3)),
	}))
	got := must(client.Get(ctx, &qdrant.GetPoints{
		CollectionName: name, Ids: []*qdrant.PointId{qdrant.NewIDNum(3)}, WithPayload: qdrant.NewWithPayload(true),
	}))
	check(len(got) == 1 && got[0].GetPayload()["seen"].GetBoolValue() && len(got[0].GetPayload()) == 3, "set", got)
	must(client.Delete(ctx, &qdrant.DeletePoints{
		CollectionName: name, Wait: qdrant.PtrOf(true),
		Points: qdrant.NewPointsSelectorFilter(&qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewMatchBool("even", true)}}),
	}))
	check(must(client.Count(ctx, &qdrant.CountPoints{CollectionName: name})) == 5, "count")
}

func refuse(ctx context.Context, client *qdrant.Client) {
	_, err := client.Query(ctx, &qdrant.QueryPoints{
		CollectionName: name, Query: qdrant.NewQuery(1, 2, 3), Using: qdrant.PtrOf("dense"),
	})
	refused(err, codes.InvalidArgument)
	_, err = client.GetCollectionInfo(ctx, "nothing")
	refused(err, codes.NotFound)
	check(client.DeleteCollection(ctx, name) == nil, "delete")
	_, err = client.Count(ctx, &qdrant.CountPoints{CollectionName: name})
	refused(err, codes.NotFound)
}
