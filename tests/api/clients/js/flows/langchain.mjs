// @langchain/qdrant, unmodified.
import assert from 'node:assert/strict';
import { QUESTION, TEXTS, embed, require, restart, run, serverUrl } from './flow.mjs';

const { Embeddings } = require('@langchain/core/embeddings');
const { Document } = require('@langchain/core/documents');
const { QdrantVectorStore } = require('@langchain/qdrant');

class ServerEmbeddings extends Embeddings {
  constructor() {
    super({});
  }

  embedDocuments(texts) {
    return embed(texts);
  }

  async embedQuery(text) {
    return (await embed([text]))[0];
  }
}

const config = (collectionName) => ({ url: serverUrl(), collectionName });
const ofTopic = (topic) => ({ must: [{ key: 'metadata.topic', match: { value: topic } }] });

async function documents() {
  const embeddings = new ServerEmbeddings();
  const texts = TEXTS.map((one) => one.text);
  const metadatas = TEXTS.map(({ topic, n }) => ({ topic, n }));
  await QdrantVectorStore.fromTexts(texts, metadatas, embeddings, config('documents'));
  await restart();
  const store = await QdrantVectorStore.fromExistingCollection(embeddings, config('documents'));
  const [best] = await store.similaritySearch(QUESTION, 1);
  assert.equal(best.pageContent, TEXTS[0].text);
  assert.deepEqual(best.metadata, { topic: 'maintenance', n: 1 });

  const scored = await store.similaritySearchWithScore(QUESTION, 9, ofTopic('food'));
  assert.deepEqual(scored.map(([document]) => document.metadata.n).sort(), [3, 4]);
  assert.ok(scored[0][1] >= scored[1][1]);
  const some = { should: [{ key: 'metadata.n', range: { gte: 6 } }, ...ofTopic('maintenance').must] };
  const found = await store.asRetriever({ k: 9, filter: some }).invoke(QUESTION);
  assert.deepEqual(found.map((document) => document.metadata.n).sort(), [1, 2, 6]);
  for (const lambda of [undefined, 0.5]) {
    const options = { k: 2, fetchK: 4, lambda };
    const diverse = await store.maxMarginalRelevanceSearch(QUESTION, options);
    assert.equal(diverse.length, 2);
    assert.equal(diverse[0].metadata.n, 1);
  }

  const id = '936da01f-9abd-4d9d-80c7-02af85c822a8';
  await store.addDocuments([new Document({ id, pageContent: 'a remark', metadata: { topic: 'remarks' } })]);
  const custom = { customPayload: [{ seen: true }], ids: [7] };
  await store.addDocuments([new Document({ pageContent: 'another', metadata: { topic: 'remarks' } })], custom);
  const remarks = await store.similaritySearch('remark', 9, ofTopic('remarks'));
  assert.deepEqual(new Set(remarks.map((document) => document.id)), new Set([id, 7]));
  await store.delete({ ids: [id] });
  await store.delete({ filter: ofTopic('food') });
  assert.equal((await store.client.count('documents')).count, TEXTS.length - 2 + 1);
  assert.deepEqual((await store.client.retrieve('documents', { ids: [7] }))[0].payload.customPayload, { seen: true });
}

async function otherShapes() {
  const collectionConfig = { vectors: { size: 2, distance: 'Euclid', on_disk: true }, hnsw_config: { m: 8 } };
  const store = new QdrantVectorStore(new ServerEmbeddings(), { ...config('shapes'), collectionConfig });
  await store.addVectors([[1, 0], [0, 3]], [new Document({ pageContent: 'a' }), new Document({ pageContent: 'b' })]);
  const near = await store.similaritySearchVectorWithScore([1, 1], 2);
  assert.deepEqual(near.map(([document, score]) => [document.pageContent, Math.fround(score)]), [
    ['a', 1],
    ['b', Math.fround(Math.sqrt(5))],
  ]);
  const wrong = store.addVectors([[1, 2, 3]], [new Document({ pageContent: 'c' })]);
  await assert.rejects(wrong, /400 Bad Request: .*expected dim: 2, got 3/);
}

await run([documents, otherShapes]);
