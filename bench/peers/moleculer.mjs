import moleculer from 'moleculer';
import { measure } from './peer.mjs';

// Without transporter: calls and events within one broker.
const broker = new moleculer.ServiceBroker({ logger: false, metrics: false, tracing: false });
await broker.start();
let handlers = {};
broker.createService({
  name: 'peer',
  actions: { echo: ({ params }) => ({ n: params.n }) },
  events: {
    'peer.item': { context: true, handler: ({ params }) => handlers.item(params) },
    'peer.ping': { context: true, handler: ({ params }) => handlers.ping(params) },
    'peer.pong': { context: true, handler: ({ params }) => handlers.pong(params) },
  },
});
await broker.waitForServices('peer');

await measure(
  {
    async oneway(count, volley) {
      let received = 0;
      let arrived;
      handlers = {
        item({ n, last }) {
          received += n;
          if (last) arrived();
        },
      };
      for (let left = count; left > 0; left -= volley) {
        const all = new Promise((resolve) => (arrived = resolve));
        for (let index = Math.min(volley, left); index > 0; index--)
          void broker.emit('peer.item', { n: 1, last: index === 1 });
        await all;
      }
      return received;
    },
    async pingpong(count) {
      let left = count;
      await new Promise((done) => {
        // A handler runs on the sender's stack, which would not hold so many turns.
        const emit = (event, n) => queueMicrotask(() => void broker.emit(event, { n }));
        handlers = {
          ping: ({ n }) => emit('peer.pong', n),
          pong({ n }) {
            if (--left === 0) done();
            else emit('peer.ping', n + 1);
          },
        };
        void broker.emit('peer.ping', { n: 0 });
      });
      return count - left;
    },
    async ask(count) {
      let sum = 0;
      for (let index = 0; index < count; index++) {
        const answer = await broker.call('peer.echo', { n: 1 });
        sum += answer.n;
      }
      return sum;
    },
    async spawn(count) {
      let ended = 0;
      for (let index = 0; index < count; index++) {
        const service = broker.createService({ name: `s${index}` });
        await broker.destroyService(service);
        ended++;
      }
      return ended;
    },
  },
  { oneway: 50_000, pingpong: 30_000, ask: 100_000, spawn: 1000 },
);
