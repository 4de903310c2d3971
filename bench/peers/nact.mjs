import { dispatch, query, spawn, start, stop } from 'nact';
import { measure } from './peer.mjs';

const system = start();
let names = 0;
const actor = (handle, options) =>
  spawn(system, (_state, message, context) => void handle(message, context), `a${++names}`, options);

await measure(
  {
    async oneway(count, volley) {
      let received = 0;
      let left = count;
      await new Promise((done) => {
        const producer = actor((_message, { self }) => {
          if (left === 0) return done();
          const burst = Math.min(volley, left);
          left -= burst;
          for (let index = burst; index > 0; index--) dispatch(consumer, { n: 1, last: index === 1, from: self });
        });
        const consumer = actor((message) => {
          received += message.n;
          if (message.last) dispatch(message.from, {});
        });
        dispatch(producer, {});
      });
      return received;
    },
    async pingpong(count) {
      let left = count;
      await new Promise((done) => {
        const echo = actor((message, { self }) => dispatch(message.from, { n: message.n, from: self }));
        const player = actor((message, { self }) => {
          if (--left === 0) done();
          else dispatch(echo, { n: message.n + 1, from: self });
        });
        dispatch(echo, { n: 0, from: player });
      });
      return count - left;
    },
    async ask(count) {
      const echo = actor((message) => dispatch(message.from, { n: message.n }));
      let sum = 0;
      for (let index = 0; index < count; index++) {
        const answer = await query(echo, (from) => ({ n: 1, from }), 5000);
        sum += answer.n;
      }
      return sum;
    },
    async spawn(count, volley) {
      let ended = 0;
      for (let left = count; left > 0; left -= volley) {
        const burst = Math.min(volley, left);
        const target = ended + burst;
        await new Promise((done) => {
          const afterStop = () => {
            if (++ended === target) done();
          };
          const actors = Array.from({ length: burst }, () => actor(() => undefined, { afterStop }));
          for (const one of actors) stop(one);
        });
      }
      return ended;
    },
  },
  { oneway: 500_000, pingpong: 200_000, ask: 50_000, spawn: 20_000 },
);
