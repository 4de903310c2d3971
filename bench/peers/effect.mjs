import { Deferred, Effect, Fiber, Queue } from 'effect';
import { measure } from './peer.mjs';

/** A fiber that takes from its queue. */
const actor = (queue, handle) =>
  Effect.forkDetach(
    Effect.gen(function* () {
      for (;;) yield* handle(yield* Queue.take(queue));
    }),
  );

await measure(
  {
    oneway: (count, volley) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const items = yield* Queue.unbounded();
          const turns = yield* Queue.unbounded();
          let received = 0;
          yield* actor(items, (item) => {
            received += item.n;
            return item.last ? Queue.offer(turns, 'go') : Effect.void;
          });
          for (let left = count; left > 0; left -= volley) {
            for (let index = Math.min(volley, left); index > 0; index--)
              yield* Queue.offer(items, { n: 1, last: index === 1 });
            yield* Queue.take(turns);
          }
          return received;
        }),
      ),
    pingpong: (count) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const pings = yield* Queue.unbounded();
          const pongs = yield* Queue.unbounded();
          yield* actor(pings, (n) => Queue.offer(pongs, n));
          let done = 0;
          for (; done < count; done++) {
            yield* Queue.offer(pings, done);
            yield* Queue.take(pongs);
          }
          return done;
        }),
      ),
    ask: (count) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const questions = yield* Queue.unbounded();
          yield* actor(questions, ({ n, reply }) => Deferred.succeed(reply, { n }));
          let sum = 0;
          for (let index = 0; index < count; index++) {
            const reply = yield* Deferred.make();
            yield* Queue.offer(questions, { n: 1, reply });
            sum += (yield* Deferred.await(reply)).n;
          }
          return sum;
        }),
      ),
    spawn: (count, volley) =>
      Effect.runPromise(
        Effect.gen(function* () {
          let ended = 0;
          for (let left = count; left > 0; left -= volley) {
            const fibers = [];
            for (let index = Math.min(volley, left); index > 0; index--)
              fibers.push(yield* actor(yield* Queue.unbounded(), () => Effect.void));
            for (const fiber of fibers) {
              yield* Fiber.interrupt(fiber);
              ended++;
            }
          }
          return ended;
        }),
      ),
  },
  { oneway: 300_000, pingpong: 100_000, ask: 50_000, spawn: 10_000 },
);
