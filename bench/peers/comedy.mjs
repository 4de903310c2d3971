import comedy from 'comedy';
import { measure } from './peer.mjs';

// In memory, where a message is a call in a later turn.
const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => 0 };
const system = comedy({ log: quiet });
const root = await system.rootActor();
const actor = (behaviour) => root.createChild(behaviour);

await measure(
  {
    async oneway(count, volley) {
      let received = 0;
      let left = count;
      const consumer = await actor({
        item(message) {
          received += message.n;
          if (message.last) producer.send('go');
        },
      });
      let done;
      const all = new Promise((resolve) => (done = resolve));
      const producer = await actor({
        go() {
          if (left === 0) return done();
          const burst = Math.min(volley, left);
          left -= burst;
          for (let index = burst; index > 0; index--) consumer.send('item', { n: 1, last: index === 1 });
          return undefined;
        },
      });
      producer.send('go');
      await all;
      return received;
    },
    async pingpong(count) {
      let left = count;
      let done;
      const all = new Promise((resolve) => (done = resolve));
      const echo = await actor({ ping: ({ n }) => void player.send('pong', { n }) });
      const player = await actor({
        pong({ n }) {
          if (--left === 0) done();
          else echo.send('ping', { n: n + 1 });
        },
      });
      echo.send('ping', { n: 0 });
      await all;
      return count - left;
    },
    async ask(count) {
      const echo = await actor({ ping: ({ n }) => ({ n }) });
      let sum = 0;
      for (let index = 0; index < count; index++) {
        const answer = await echo.sendAndReceive('ping', { n: 1 });
        sum += answer.n;
      }
      return sum;
    },
    async spawn(count, volley) {
      let ended = 0;
      for (let left = count; left > 0; left -= volley) {
        const burst = Math.min(volley, left);
        const actors = await Promise.all(Array.from({ length: burst }, () => actor({})));
        for (const one of actors) await one.destroy().then(() => ended++);
      }
      return ended;
    },
  },
  { oneway: 300_000, pingpong: 200_000, ask: 50_000, spawn: 2000 },
);
