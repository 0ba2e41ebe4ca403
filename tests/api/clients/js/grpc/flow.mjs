// The official gRPC client for JavaScript, unmodified, against the real server: its arguments are host and port.
import assert from 'node:assert/strict';
import {QdrantClient} from '@qdrant/js-client-grpc';

// Codes of the gRPC specification.
const INVALID_ARGUMENT = 3, NOT_FOUND = 5, ALREADY_EXISTS = 6;
const name = 'js';
const [host, port] = process.argv.slice(2);
const client = new QdrantClient({host, port: Number(port), https: false, timeout: 60000});
const collections = client.api('collections');
const points = client.api('points');

const id = (num) => ({pointIdOptions: {case: 'num', value: BigInt(num)}});
const value = (kind, of) => ({kind: {case: kind, value: of}});
const dense = (data) => ({vector: {case: 'dense', value: {data}}});
const sparse = (indices, values) => ({vector: {case: 'sparse', value: {indices, values}}});
const nearest = (input) => ({variant: {case: 'nearest', value: {variant: input.vector}}});
const even = {must: [{conditionOneOf: {case: 'field', value: {key: 'even', match: {matchValue: {case: 'boolean', value: true}}}}}]};
const idsOf = (found) => found.map((point) => Number(point.id.pointIdOptions.value));
const refused = (call, code) => assert.rejects(call, (error) => {
    assert.equal(error.code, code, error.message);
    return true;
});

assert.equal((await client.api('service').healthCheck({})).title, 'akidb');

const creation = {
    collectionName: name,
    vectorsConfig: {config: {case: 'paramsMap', value: {map: {dense: {size: 2n, distance: 1}}}}},
    sparseVectorsConfig: {map: {words: {}}},
};
assert.equal((await collections.create(creation)).result, true);
await refused(() => collections.create(creation), ALREADY_EXISTS);
assert.equal((await collections.collectionExists({collectionName: name})).result.exists, true);
await points.createFieldIndex({collectionName: name, wait: true, fieldName: 'n', fieldType: 1});
const made = [...Array(9).keys()].map((i) => i + 1).map((i) => ({
    id: id(i),
    vectors: {vectorsOptions: {case: 'vectors', value: {vectors: {
        dense: dense([i, 10 - i]), words: sparse([i % 3, 7], [1, i / 10]),
    }}}},
    payload: {n: value('integerValue', BigInt(i)), even: value('boolValue', i % 2 === 0)},
}));
assert.equal((await points.upsert({collectionName: name, wait: true, points: made})).result.status, 2);

let found = await points.query({
    collectionName: name, query: nearest(dense([1, 0])), using: 'dense', filter: even, limit: 2n,
    withPayload: {selectorOptions: {case: 'enable', value: true}},
});
assert.deepEqual(idsOf(found.result), [8, 6]);
assert.equal(found.result[0].payload.n.kind.value, 8n);
found = await points.query({
    collectionName: name,
    prefetch: [
        {query: nearest(dense([1, 0])), using: 'dense', limit: 3n},
        {query: nearest(sparse([7], [1])), using: 'words', limit: 3n},
    ],
    query: {variant: {case: 'fusion', value: 0}},
});
assert.deepEqual(idsOf(found.result), [9, 8, 7]);
found = await points.scroll({collectionName: name, limit: 2, orderBy: {key: 'n', direction: 1}});
assert.deepEqual(idsOf(found.result), [9, 8]);

await points.setPayload({
    collectionName: name, wait: true, payload: {seen: value('boolValue', true)},
    pointsSelector: {pointsSelectorOneOf: {case: 'points', value: {ids: [id(3)]}}},
});
found = await points.get({
    collectionName: name, ids: [id(3)], withPayload: {selectorOptions: {case: 'enable', value: true}},
});
assert.equal(found.result[0].payload.seen.kind.value, true);
assert.equal(Object.keys(found.result[0].payload).length, 3);
await points.delete({
    collectionName: name, wait: true, points: {pointsSelectorOneOf: {case: 'filter', value: even}},
});
assert.equal((await points.count({collectionName: name})).result.count, 5n);

await refused(() => points.query({
    collectionName: name, query: nearest(dense([1, 2, 3])), using: 'dense',
}), INVALID_ARGUMENT);
await refused(() => collections.get({collectionName: 'nothing'}), NOT_FOUND);
assert.equal((await collections.delete({collectionName: name})).result, true);
await refused(() => points.count({collectionName: name}), NOT_FOUND);
console.log('ok');
process.exit(0);
