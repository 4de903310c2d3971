// node nats-raw.mjs receive|send CASE URL SEED_FILE PREFIX: the same on the client library alone, a message per publish.
import { readFileSync } from 'node:fs';
import { connect, nkeyAuthenticator } from 'nats';
import { System } from '../handwritten-mailbox.mjs';
import { nanoseconds, print, quantile } from '../measure.mjs';
import {
  cases,
  concurrently,
  hop,
  microseconds,
  paced,
  printRate,
  printRoundTrip,
  ready,
  volley,
} from './nats-cases.mjs';

const [role, name, servers, seedFile, prefix] = process.argv.slice(2);
const { count, make, inflight } = cases[name];
/** Messages under way at most: what a careful program would add, since a slow consumer is cut off by the server. */
const outstanding = 20_000;
const acknowledgeEvery = 5000;

const connection = await connect({ servers, authenticator: nkeyAuthenticator(readFileSync(seedFile)) });
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const typed = name === 'typed';
const say = (subject, value) => connection.publish(`${prefix}.${subject}`, encoder.encode(JSON.stringify(value)));
const heard = ({ data }) => JSON.parse(decoder.decode(data));
const listen = (subject, callback) =>
  connection.subscribe(`${prefix}.${subject}`, { callback: (_error, message) => callback(message) });

if (role === 'receive' && name === 'oneway.loaded') {
  // The node is busy with its own: two actors that never come to rest.
  const system = new System();
  const busy = () => system.spawn((from, self) => void from.send(self));
  busy().send(busy());
}

if (role === 'receive') {
  let received = 0;
  let seen = 0;
  const delays = [];
  listen('begin', () => (received = 0));
  listen('item', (item) => {
    if (typed) seen += heard(item).items;
    else seen += item.data.length;
    if (++received % acknowledgeEvery === 0) say('seen', received);
  });
  listen('stamp', (stamp) => {
    delays.push((nanoseconds() - heard(stamp)) / 1000);
    if (delays.length === count) say('delay', quantile(delays, 0.99));
  });
  listen('ask', (question) => question.respond(encoder.encode(String(heard(question) + 1))));
  listen('ping', (question) => say('pong', heard(question) + 1));
  await connection.flush();
  ready();
} else {
  let acknowledged = 0;
  let wake = () => undefined;
  listen('seen', (message) => {
    acknowledged = heard(message);
    wake();
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
  const request = async () => {
    const answer = await connection.request(`${prefix}.ask`, question, { timeout: 5000 });
    if (heard(answer) !== 2) throw new Error(`${name}: wrong answer`);
  };
  let answered = () => undefined;
  listen('pong', (message) => answered(message));
  /** The least a question and its answer can be: one plain publish each way. */
  const ping = async () => {
    const answer = new Promise((resolve) => (answered = resolve));
    connection.publish(`${prefix}.ping`, question);
    if (heard(await answer) !== 2) throw new Error(`${name}: wrong answer`);
  };
  if (name === 'oneway.loaded') {
    const before = process.cpuUsage();
    const delay = new Promise((resolve) => listen('delay', (message) => resolve(heard(message))));
    await connection.flush();
    await paced(count, () => say('stamp', nanoseconds()));
    print({ value: await delay, cpu: microseconds(before), operations: count });
  } else if (inflight === 1) {
    await printRoundTrip(count, ping);
  } else {
    await printRate(count, (total) => (inflight === undefined ? pump(total) : concurrently(total, inflight, request)));
  }
  await connection.close();
}
