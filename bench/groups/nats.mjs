import { Broker } from '../broker.mjs';
import { pair } from '../subprocess.mjs';

const broker = new Broker();
const measure = (file, work) => pair(file, [work, ...broker.next()]);

const publish = 'raw nats publish';

/** Two OS processes and a broker: @mezzo/process, sessions on, beside the client library alone. */
export const nats = {
  name: 'nats',
  runs: [
    { work: 'oneway.16', unit: 'messages/s', referenceName: publish, target: { of: 'ratio', atLeast: 4 } },
    { work: 'oneway.100', unit: 'messages/s', referenceName: publish, target: { of: 'ratio', atLeast: 2.5 } },
    { work: 'oneway.1024', unit: 'messages/s', referenceName: publish },
    {
      work: 'typed',
      unit: 'messages/s',
      referenceName: 'raw nats, JSON per message',
      target: { of: 'ratio', atLeast: 2.5 },
    },
    {
      work: 'oneway.loaded',
      unit: 'us',
      lowerIsBetter: true,
      referenceName: 'raw nats beside hand-written mailboxes',
    },
    {
      work: 'ask.sequential',
      unit: 'us',
      lowerIsBetter: true,
      referenceName: 'raw nats, plain publish both ways',
      target: { of: 'ratio', atMost: 1.2 },
    },
    {
      work: 'ask.inflight100',
      unit: 'asks/s',
      referenceName: 'raw nats request',
      target: { of: 'ratio', atLeast: 5 },
    },
  ].map(({ work, ...one }) => ({
    ours: () => measure('nats-ours.mjs', work),
    reference: () => measure('nats-raw.mjs', work),
    cases: [{ name: `nats.${work}`, ...one }],
  })),
  open: () => broker.open(),
  close: () => broker.close(),
};
