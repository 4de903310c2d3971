// The same cases on the hand-written mailbox: the limit of what one JavaScript thread does.
import { System } from '../handwritten-mailbox.mjs';
import { bestRate, bytesEach, print, sizes } from '../measure.mjs';

const system = new System();

const cases = {
  async oneway(count) {
    let received = 0;
    const consumer = system.spawn((message) => {
      received += message.n;
      if (message.last) message.from.send({ kind: 'go' });
    });
    let left = count;
    await new Promise((done) => {
      const producer = system.spawn((message, self) => {
        if (left === 0) return done();
        const volley = Math.min(sizes.volley, left);
        left -= volley;
        for (let left = volley; left > 0; left--) consumer.send({ kind: 'item', from: self, n: 1, last: left === 1 });
      });
      producer.send({ kind: 'go' });
    });
    return received;
  },
  async pingpong(count) {
    const echo = system.spawn((message, self) => {
      if (message.kind === 'ping') message.from.send({ kind: 'pong', from: self, n: message.n });
    });
    let left = count;
    await new Promise((done) => {
      const player = system.spawn((message, self) => {
        if (message.kind !== 'pong') return;
        left--;
        if (left === 0) done();
        else echo.send({ kind: 'ping', from: self, n: message.n + 1 });
      });
      echo.send({ kind: 'ping', from: player, n: 0 });
    });
    return count - left;
  },
  async ask(count) {
    const echo = system.spawn((message) => message.reply({ n: message.body.n }));
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const answer = await echo.ask({ n: 1 });
      sum += answer.n;
    }
    return sum;
  },
  async spawn(count) {
    let ended = 0;
    for (let left = count; left > 0; left -= sizes.volley) {
      const actors = [];
      for (let index = 0; index < Math.min(left, sizes.volley); index++) actors.push(system.spawn(() => undefined));
      for (const actor of actors) actor.stop();
      for (const actor of actors) if (actor.dead) ended++;
      await Promise.resolve();
    }
    return ended;
  },
};

const name = process.argv[2];
if (name === 'bytes') {
  print({
    value: await bytesEach(async (count) => {
      const counters = Array.from({ length: count }, () => ({ seen: 0 }));
      const actors = counters.map((counter) =>
        system.spawn((message) => {
          counter.seen += message.n;
        }),
      );
      for (const actor of actors) actor.send({ kind: 'item', n: 1 });
      return { kept: actors, seen: () => counters.reduce((sum, counter) => sum + counter.seen, 0) };
    }),
  });
} else {
  print({ value: await bestRate(name, cases[name]) });
}
