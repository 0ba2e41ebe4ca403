// @llamaindex/qdrant, unmodified.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { QUESTION, TEXTS, embed, require, restart, run, serverUrl } from './flow.mjs';

const { TextNode } = require('@llamaindex/core/schema');
const { QdrantVectorStore } = require('@llamaindex/qdrant');

const embedModel = { async getQueryEmbedding(text) { return (await embed([text]))[0]; } };
const open = () => new QdrantVectorStore({ url: serverUrl(), collectionName: 'nodes', embedModel });

async function nodesOf(texts) {
  const vectors = await embed(texts.map((one) => one.text));
  return texts.map(({ text, topic, n }, at) => {
    const source = { SOURCE: { nodeId: `doc-${n}`, metadata: {} } };
    const metadata = { topic, n, doc_id: `doc-${n}` };
    return new TextNode({ id_: randomUUID(), text, metadata, embedding: vectors[at], relationships: source });
  });
}

async function nodes() {
  const added = await nodesOf(TEXTS);
  assert.deepEqual(await open().add(added), added.map((node) => node.id_));
  await restart();
  const store = open();
  const [queryEmbedding] = await embed([QUESTION]);
  const ask = (more) => store.query({ queryEmbedding, similarityTopK: 9, mode: 'default', ...more }, {});
  const numbers = (answer) => answer.nodes.map((node) => node.metadata.n);

  const all = await ask();
  assert.equal(numbers(all)[0], 1);
  assert.equal(all.nodes[0].text, TEXTS[0].text);
  assert.equal(all.ids[0], added[0].id_);
  assert.ok(all.similarities[0] > all.similarities[5]);

  const where = async (filters, condition) => numbers(await ask({ filters: { filters, condition } })).sort();
  assert.deepEqual(await where([{ key: 'topic', value: 'food', operator: '==' }]), [3, 4]);
  assert.deepEqual(await where([{ key: 'n', value: 2, operator: '==' }]), [2]);
  assert.deepEqual(await where([{ key: 'n', value: 4, operator: '>' }]), [5, 6]);
  assert.deepEqual(await where([{ key: 'topic', value: ['food', 'places'], operator: 'nin' }]), [1, 2]);
  assert.deepEqual(await where([{ key: 'nothing', operator: 'is_empty' }, { key: 'n', value: 1, operator: '<=' }]), [1]);
  const either = [{ key: 'n', value: 6, operator: '==' }, { key: 'topic', value: 'maintenance', operator: '==' }];
  assert.deepEqual(await where(either, 'or'), [1, 2, 6]);
  assert.deepEqual(numbers(await ask({ docIds: ['doc-3', 'doc-5'], similarityTopK: 1 })).length, 1);
  assert.deepEqual(numbers(await ask({ customParams: { hnsw_ef: 64, exact: true }, similarityTopK: 1 })), [1]);

  await store.delete('doc-1');
  assert.equal((await store.client().count('nodes')).count, TEXTS.length - 1);
  assert.notEqual(numbers(await ask())[0], 1);
}

await run([nodes]);
