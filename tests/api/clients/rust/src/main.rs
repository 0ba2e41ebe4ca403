//! The official Rust client, unmodified, against the real server: its arguments are host and port.

use qdrant_client::qdrant::{
    value::Kind, Condition, CountPointsBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, DeletePointsBuilder, Direction, Distance, FieldType, Filter,
    Fusion, GetPointsBuilder, NamedVectors, OrderByBuilder, PointStruct, PrefetchQueryBuilder,
    Query, QueryPointsBuilder, ScoredPoint, ScrollPointsBuilder, SetPayloadPointsBuilder,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, UpdateStatus, UpsertPointsBuilder,
    Vector, VectorInput, VectorParamsBuilder, VectorsConfigBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use serde_json::json;

const NAME: &str = "rust";
// Codes of the gRPC specification.
const INVALID_ARGUMENT: i32 = 3;
const NOT_FOUND: i32 = 5;
const ALREADY_EXISTS: i32 = 6;

type Done = Result<(), Box<dyn std::error::Error>>;

fn refused<T: std::fmt::Debug>(answer: Result<T, QdrantError>, code: i32) {
    match answer {
        Err(QdrantError::ResponseError { status }) => assert_eq!(status.code() as i32, code, "{status}"),
        other => panic!("expected code {code}, got {other:?}"),
    }
}

fn ids_of(points: &[ScoredPoint]) -> Vec<String> {
    points.iter().map(|p| format!("{:?}", p.id.as_ref().unwrap().point_id_options.as_ref().unwrap())).collect()
}

fn nums(ids: &[u64]) -> Vec<String> {
    ids.iter().map(|id| format!("Num({id})")).collect()
}

fn even() -> Filter {
    Filter::must([Condition::matches("even", true)])
}

async fn fill(client: &Qdrant) -> Done {
    let creation = || {
        let mut dense = VectorsConfigBuilder::default();
        dense.add_named_vector_params("dense", VectorParamsBuilder::new(2, Distance::Cosine));
        let mut sparse = SparseVectorsConfigBuilder::default();
        sparse.add_named_vector_params("words", SparseVectorParamsBuilder::default());
        CreateCollectionBuilder::new(NAME).vectors_config(dense).sparse_vectors_config(sparse)
    };
    assert!(client.create_collection(creation()).await?.result);
    refused(client.create_collection(creation()).await, ALREADY_EXISTS);
    assert!(client.collection_exists(NAME).await?);
    let index = CreateFieldIndexCollectionBuilder::new(NAME, "n", FieldType::Integer).wait(true);
    client.create_field_index(index).await?;
    let points: Vec<PointStruct> = (1..=9u64)
        .map(|i| {
            let words = Vector::new_sparse(vec![(i % 3) as u32, 7], vec![1.0, i as f32 / 10.0]);
            let vectors = NamedVectors::default()
                .add_vector("dense", vec![i as f32, (10 - i) as f32])
                .add_vector("words", words);
            let payload: Payload = json!({"n": i, "even": i % 2 == 0}).try_into().unwrap();
            PointStruct::new(i, vectors, payload)
        })
        .collect();
    let reply = client.upsert_points(UpsertPointsBuilder::new(NAME, points).wait(true)).await?;
    assert_eq!(reply.result.unwrap().status, UpdateStatus::Completed as i32);
    Ok(())
}

async fn query(client: &Qdrant) -> Done {
    let asked = QueryPointsBuilder::new(NAME)
        .query(vec![1.0f32, 0.0])
        .using("dense")
        .filter(even())
        .limit(2)
        .with_payload(true);
    let hits = client.query(asked).await?.result;
    assert_eq!(ids_of(&hits), nums(&[8, 6]));
    assert_eq!(hits[0].payload["n"].kind, Some(Kind::IntegerValue(8)));
    let dense = PrefetchQueryBuilder::default()
        .query(Query::new_nearest(vec![1.0f32, 0.0]))
        .using("dense")
        .limit(3u64);
    let words = PrefetchQueryBuilder::default()
        .query(Query::new_nearest(VectorInput::new_sparse(vec![7], vec![1.0])))
        .using("words")
        .limit(3u64);
    let asked = QueryPointsBuilder::new(NAME)
        .add_prefetch(dense)
        .add_prefetch(words)
        .query(Query::new_fusion(Fusion::Rrf));
    assert_eq!(ids_of(&client.query(asked).await?.result), nums(&[9, 8, 7]));
    let order = OrderByBuilder::new("n").direction(Direction::Desc as i32);
    let page = client.scroll(ScrollPointsBuilder::new(NAME).limit(2).order_by(order)).await?.result;
    let numbers: Vec<_> = page.iter().map(|p| p.payload["n"].kind.clone()).collect();
    assert_eq!(numbers, [Some(Kind::IntegerValue(9)), Some(Kind::IntegerValue(8))]);
    Ok(())
}

async fn change(client: &Qdrant) -> Done {
    let seen: Payload = json!({"seen": true}).try_into()?;
    let ids = vec![3.into()];
    let edit = SetPayloadPointsBuilder::new(NAME, seen).points_selector(ids.clone()).wait(true);
    client.set_payload(edit).await?;
    let found = client.get_points(GetPointsBuilder::new(NAME, ids).with_payload(true)).await?.result;
    assert_eq!(found[0].payload["seen"].kind, Some(Kind::BoolValue(true)));
    assert_eq!(found[0].payload.len(), 3);
    client.delete_points(DeletePointsBuilder::new(NAME).points(even()).wait(true)).await?;
    assert_eq!(client.count(CountPointsBuilder::new(NAME)).await?.result.unwrap().count, 5);
    Ok(())
}

async fn refuse(client: &Qdrant) -> Done {
    let asked = QueryPointsBuilder::new(NAME).query(vec![1.0f32, 2.0, 3.0]).using("dense");
    refused(client.query(asked).await, INVALID_ARGUMENT);
    refused(client.collection_info("nothing").await, NOT_FOUND);
    assert!(client.delete_collection(NAME).await?.result);
    refused(client.count(CountPointsBuilder::new(NAME)).await, NOT_FOUND);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done {
    let arguments: Vec<String> = std::env::args().collect();
    let client = Qdrant::from_url(&format!("http://{}:{}", arguments[1], arguments[2])).build()?;
    assert_eq!(client.health_check().await?.title, "akidb");
    fill(&client).await?;
    query(&client).await?;
    change(&client).await?;
    refuse(&client).await?;
    println!("ok");
    Ok(())
}
