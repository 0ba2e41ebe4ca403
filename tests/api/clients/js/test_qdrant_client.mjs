// The official JavaScript client, unmodified, against the real server at the URL of argument 1.
// Argument 2 is "texts" when the server can embed.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

// The client is installed under build/, not beside this file.
const require = createRequire(process.env.AKIDB_JS_MODULES + '/');
const { QdrantClient } = require('@qdrant/js-client-rest');

const MODEL = 'sentence-transformers/all-MiniLM-L6-v2';
const HEX_ID = '936da01f-9abd-4d9d-80c7-02af85c822a8';
const [, , url, texts] = process.argv;

async function vectors(client) {
  const name = 'js_vectors';
  assert.deepEqual(await client.collectionExists(name), { exists: false });
  assert.equal(await client.createCollection(name, { vectors: { size: 2, distance: 'Dot' } }), true);
  assert.deepEqual(await client.collectionExists(name), { exists: true });
  const { collections } = await client.getCollections();
  assert.ok(collections.some((c) => c.name === name));

  const points = [
    { id: 1, vector: [1, 0], payload: { colour: 'red', n: 1 } },
    { id: 2, vector: [0, 1], payload: { colour: 'green', n: 2 } },
    { id: HEX_ID.replaceAll('-', ''), vector: [2, 2], payload: { colour: 'red', n: 3 } },
  ];
  assert.equal((await client.upsert(name, { wait: true, points })).status, 'completed');
  assert.equal((await client.upsert(name, { wait: false, points: [points[0]] })).status, 'acknowledged');
  const info = await client.getCollection(name);
  assert.equal(info.points_count, 3);
  assert.equal(info.config.params.vectors.size, 2);

  const found = await client.query(name, { query: [1, 0], with_payload: true, with_vector: true });
  assert.deepEqual(found.points.map((p) => p.id), [HEX_ID, 1, 2]);
  assert.deepEqual(found.points[0].vector, [2, 2]);
  assert.equal(found.points[0].score, 2);

  const red = { must: [{ key: 'colour', match: { value: 'red' } }] };
  const near = await client.query(name, { query: 2, filter: red, limit: 1 });
  assert.deepEqual(near.points.map((p) => p.id), [HEX_ID]);
  const batch = await client.queryBatch(name, { searches: [{ query: 1 }, { query: [0, 1], limit: 1 }] });
  assert.deepEqual(batch.map((answer) => answer.points.length), [2, 1]);

  const page = await client.scroll(name, { limit: 2 });
  assert.deepEqual(page.points.map((p) => p.id), [1, 2]);
  assert.equal(page.next_page_offset, HEX_ID);
  assert.equal((await client.count(name, { filter: red })).count, 2);
  const records = await client.retrieve(name, { ids: [HEX_ID, 99], with_payload: ['n'] });
  assert.deepEqual(records.map((r) => [r.id, r.payload]), [[HEX_ID, { n: 3 }]]);

  await client.delete(name, { wait: true, points: [1] });
  await client.delete(name, { wait: true, filter: red });
  assert.equal((await client.count(name)).count, 1);

  await assert.rejects(client.upsert(name, { points: [{ id: 5, vector: [1, 2, 3] }] }), (error) => {
    assert.equal(error.status, 400);
    assert.match(error.data.status.error, /expected dim: 2, got 3/);
    return true;
  });
  await assert.rejects(client.getCollection('nobody'), (error) => error.status === 404);
  assert.equal(await client.deleteCollection(name), true);
}

async function kindsOfVectors(client) {
  const name = 'js_kinds';
  const of = (more) => ({ size: 2, distance: 'Dot', ...more });
  const vectors = {
    half: of({ datatype: 'float16' }),
    byte: of({ datatype: 'uint8' }),
    rows: of({ multivector_config: { comparator: 'max_sim' } }),
  };
  await client.createCollection(name, { vectors });
  assert.deepEqual((await client.getCollection(name)).config.params.vectors, vectors);
  const points = [
    { id: 1, vector: { half: [0.1, 1], byte: [1, 300], rows: [[1, 0], [0, 2]] } },
    { id: 2, vector: { half: [2, 2], byte: [7, 0], rows: [[3, 3]] } },
  ];
  await client.upsert(name, { wait: true, points });
  const [kept] = await client.retrieve(name, { ids: [1], with_vector: true });
  assert.deepEqual(kept.vector, { half: [0.099975586, 1], byte: [1, 255], rows: [[1, 0], [0, 2]] });
  const found = await client.query(name, { query: [[1, 0], [0, 1]], using: 'rows' });
  assert.deepEqual(found.points.map((p) => [p.id, p.score]), [[2, 6], [1, 3]]);
  await client.deleteCollection(name);
}

async function batches(client) {
  const name = 'js_batches';
  await client.createCollection(name, { vectors: { size: 2, distance: 'Dot' } });
  const operations = [
    { upsert: { points: [{ id: 1, vector: [1, 0], payload: { a: 1 } }, { id: 2, vector: [2, 0] }] } },
    { set_payload: { payload: { b: 2 }, points: [1] } },
    { overwrite_payload: { payload: { c: 3 }, points: [2] } },
    { delete_payload: { keys: ['a'], points: [1] } },
    { update_vectors: { points: [{ id: 1, vector: [5, 5] }] } },
    { delete_vectors: { vector: [''], points: [2] } },
    { clear_payload: { points: [2] } },
    { delete: { points: [3] } },
  ];
  const done = await client.batchUpdate(name, { wait: true, operations });
  assert.deepEqual(done.map((one) => one.status), operations.map(() => 'completed'));
  const records = await client.retrieve(name, { ids: [1, 2], with_vector: true });
  assert.deepEqual(records.map((r) => [r.id, r.payload, r.vector]), [[1, { b: 2 }, [5, 5]], [2, {}, {}]]);
  await assert.rejects(client.batchUpdate(name, { operations: [{ upsert: {} }] }), (error) => error.status === 400);
  await client.deleteCollection(name);
}

async function documents(client) {
  const name = 'js_documents';
  await client.createCollection(name, { vectors: { size: 384, distance: 'Cosine' } });
  const sentences = ['Replace the oil filter every year.', 'The cat sleeps.', 'Paris is in France.'];
  await client.upsert(name, {
    wait: true,
    points: sentences.map((text, id) => ({ id, vector: { text, model: MODEL }, payload: { text } })),
  });
  const found = await client.query(name, { query: { text: 'car maintenance', model: MODEL }, limit: 1 });
  assert.equal(found.points[0].id, 0);
  await client.deleteCollection(name);
}

const client = new QdrantClient({ url });
assert.equal((await client.versionInfo()).version, '1.20.0');
await vectors(client);
await kindsOfVectors(client);
await batches(client);
if (texts === 'texts') await documents(client);
console.log(`ok, Node.js ${process.version}${texts === 'texts' ? '' : ', without texts'}`);
