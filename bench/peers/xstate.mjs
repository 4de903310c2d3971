import { createActor, fromCallback, fromTransition } from 'xstate';
import { measure } from './peer.mjs';

/** The cheapest actor it has: a transition function; `send` runs it on the sender's stack. */
const actor = (handle) => createActor(fromTransition((state, event) => (handle(event), state), {})).start();

await measure(
  {
    async oneway(count, volley) {
      let received = 0;
      let left = count;
      await new Promise((done) => {
        const consumer = actor((event) => {
          received += event.n ?? 0;
          if (event.last) queueMicrotask(() => producer.send({ type: 'go' }));
        });
        const producer = actor((event) => {
          if (event.type !== 'go') return;
          if (left === 0) return done();
          const burst = Math.min(volley, left);
          left -= burst;
          for (let index = burst; index > 0; index--) consumer.send({ type: 'item', n: 1, last: index === 1 });
        });
        producer.send({ type: 'go' });
      });
      return received;
    },
    async pingpong(count) {
      let left = count;
      await new Promise((done) => {
        const echo = actor((event) => {
          if (event.type === 'ping') player.send({ type: 'pong', n: event.n });
        });
        const player = actor((event) => {
          if (event.type !== 'pong') return;
          if (--left === 0) done();
          else echo.send({ type: 'ping', n: event.n + 1 });
        });
        echo.send({ type: 'ping', n: 0 });
      });
      return count - left;
    },
    async ask(count) {
      // It has no ask: an event carries where its answer goes.
      const echo = actor((event) => event.reply?.({ n: event.n }));
      let sum = 0;
      for (let index = 0; index < count; index++) {
        const answer = await new Promise((reply) => echo.send({ type: 'ping', n: 1, reply }));
        sum += answer.n;
      }
      return sum;
    },
    async spawn(count, volley) {
      let ended = 0;
      for (let left = count; left > 0; left -= volley) {
        const logic = fromCallback(() => () => ended++);
        const actors = Array.from({ length: Math.min(volley, left) }, () => createActor(logic).start());
        for (const one of actors) one.stop();
      }
      return ended;
    },
  },
  { oneway: 1_000_000, pingpong: 500_000, ask: 100_000, spawn: 20_000 },
);
