// What the flows of all frameworks share: the way to the server, its restart, texts and their vectors.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

// The frameworks are installed under build/, not beside this file.
export const require = createRequire(process.env.AKIDB_JS_MODULES + '/');

const MODEL = 'sentence-transformers/all-MiniLM-L6-v2';
const HASHED_DIM = 64;

export const TEXTS = [
  ['Grease the bearings of the water pump every 500 operating hours.', 'maintenance', 1],
  ['Replace the air filter of the engine once a year.', 'maintenance', 2],
  ['The ripe banana is yellow and tastes sweet.', 'food', 3],
  ['Bread is baked from flour, water, salt and yeast.', 'food', 4],
  ['Oslo is the capital of Norway.', 'places', 5],
  ['Kyoto has more than a thousand temples.', 'places', 6],
].map(([text, topic, n]) => ({ text, topic, n }));
export const QUESTION = 'how often do the bearings of the pump need grease?';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let url = process.argv[2];

export function serverUrl() {
  return url;
}

// The one who started this program kills the server, starts it again and tells its new address.
export async function restart() {
  console.log('restart');
  url = (await lines.next()).value;
}

// Words, the same on every machine, for a server without a model.
function hashed(text) {
  const vector = new Array(HASHED_DIM).fill(0);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let sum = 0;
    for (const letter of word) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
    vector[sum % HASHED_DIM] += sum & 0x1000 ? -1 : 1;
  }
  return vector;
}

export async function embed(texts) {
  if (process.argv[3] !== 'texts') return texts.map(hashed);
  const reply = await fetch(`${url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, input: texts }),
  });
  if (!reply.ok) throw new Error(await reply.text());
  return (await reply.json()).data.map((entry) => entry.embedding);
}

export async function run(flows) {
  for (const flow of flows) await flow();
  console.log(`ok, Node.js ${process.version}`);
  process.exit(0);
}
