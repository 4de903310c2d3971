// node nats-raw.mjs receive|send CASE URL SEED_FILE PREFIX: the same on the client library alone, a message per publish.
import { readFileSync } from 'node:fs';
import { connect, nkeyAuthenticator } from 'nats';
import { print } from '../measure.mjs';
import { cases, concurrently, hop, rates, volley } from './nats-cases.mjs';

const [role, name, servers, seedFile, prefix] = process.argv.slice(2);
const { count, make, inflight } = cases[name];
/** Messages under way at most: what a careful program would add, since a slow consumer is cut off by the server. */
const outstanding = 20_000;
const acknowledgeEvery = 5000;

const connection = await connect({ servers, authenticator: nkeyAuthenticator(readFileSync(seedFile)) });
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const typed = name === 'typed';

if (role === 'receive') {
  let received = 0;
  let seen = 0;
  connection.subscribe(`${prefix}.begin`, { callback: () => (received = 0) });
  connection.subscribe(`${prefix}.item`, {
    callback: (_error, item) => {
      if (typed) seen += JSON.parse(decoder.decode(item.data)).items;
      else seen += item.data.length;
      if (++received % acknowledgeEvery === 0) connection.publish(`${prefix}.seen`, encoder.encode(String(received)));
    },
  });
  connection.subscribe(`${prefix}.ask`, {
    callback: (_error, question) => question.respond(encoder.encode(String(Number(decoder.decode(question.data)) + 1))),
  });
  await connection.flush();
  process.stdout.write('ready\n');
} else {
  let acknowledged = 0;
  let wake = () => undefined;
  connection.subscribe(`${prefix}.seen`, {
    callback: (_error, message) => {
      acknowledged = Number(decoder.decode(message.data));
      wake();
    },
  });
  const until = async (condition) => {
    while (!condition()) await new Promise((resolve) => (wake = resolve));
  };
  const pump = async (total) => {
    acknowledged = 0;
    connection.publish(`${prefix}.begin`);
    for (let index = 0; index < total; index++) {
      const body = make(index);
      connection.publish(`${prefix}.item`, typed ? encoder.encode(JSON.stringify(body)) : body);
      if (index % volley === volley - 1) {
        await hop();
        await until(() => index - acknowledged < outstanding);
      }
    }
    // The receiver counts; the last acknowledgement carries the whole count.
    await until(() => acknowledged === total);
  };
  const question = encoder.encode('1');
  const ask = async () => {
    const answer = await connection.request(`${prefix}.ask`, question, { timeout: 5000 });
    if (decoder.decode(answer.data) !== '2') throw new Error(`${name}: wrong answer`);
  };
  print(await rates(count, (total) => (inflight === undefined ? pump(total) : concurrently(total, inflight, ask))));
  await connection.close();
}
