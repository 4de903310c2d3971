// The local cases on @mezzo/process: node local-ours.mjs CASE prints one number.
import { message, Process, Runtime } from '@mezzo/process';
import { bestRate, bytesEach, print, sizes } from '../measure.mjs';

const Item = message('item');
const Go = message('go');
const Ping = message('ping');
const Pong = message('pong');

class Consumer extends Process {
  received = 0;
  initialize() {
    this.install(Item, (body, from) => {
      this.received += body.n;
      if (body.last) this.send(from, Go);
    });
  }
}

/** The next volley leaves when the last one has arrived, so the mailbox stays as short as a real one. */
class Producer extends Process {
  constructor(to, count, done) {
    super();
    this.to = to;
    this.left = count;
    this.done = done;
  }
  initialize() {
    this.install(Go, () => this.volley());
    this.volley();
  }
  volley() {
    if (this.left === 0) return this.done();
    const volley = Math.min(sizes.volley, this.left);
    this.left -= volley;
    for (let left = volley; left > 0; left--) this.send(this.to, Item, { n: 1, last: left === 1 });
  }
}

class Echo extends Process {
  initialize() {
    this.install(Ping, (body, from) => void this.send(from, Pong, { n: body.n }));
  }
}

class Player extends Process {
  constructor(to, count, done) {
    super();
    this.to = to;
    this.left = count;
    this.done = done;
  }
  initialize() {
    this.install(Pong, (body) => {
      this.left--;
      if (this.left === 0) this.done();
      else this.send(this.to, Ping, { n: body.n + 1 });
    });
    this.send(this.to, Ping, { n: 0 });
  }
}

class Idle extends Process {
  seen = 0;
  initialize() {
    this.install(Item, (body) => {
      this.seen += body.n;
    });
  }
}

class Brief extends Idle {
  constructor(finalized) {
    super();
    this.finalized = finalized;
  }
  finalize() {
    this.finalized();
  }
}

const runtime = await Runtime.start();

const cases = {
  async oneway(count) {
    const consumer = new Consumer();
    const to = runtime.spawn(consumer);
    await new Promise((done) => runtime.spawn(new Producer(to, count, done)));
    return consumer.received;
  },
  async pingpong(count) {
    const to = runtime.spawn(new Echo());
    let player;
    await new Promise((done) => {
      player = new Player(to, count, done);
      runtime.spawn(player);
    });
    return count - player.left;
  },
  async ask(count) {
    const to = runtime.spawn(new Echo());
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const answer = await runtime.ask(to, Ping, { n: 1 }, { reply: Pong });
      sum += answer.n;
    }
    return sum;
  },
  async spawn(count) {
    let ended = 0;
    for (let left = count; left > 0; left -= sizes.volley) {
      const volley = Math.min(left, sizes.volley);
      const target = ended + volley;
      await new Promise((done) => {
        const finalized = () => {
          ended++;
          if (ended === target) done();
        };
        const pids = Array.from({ length: volley }, () => runtime.spawn(new Brief(finalized)));
        for (const pid of pids) runtime.terminate(pid);
      });
    }
    return ended;
  },
};

const name = process.argv[2];
if (name === 'bytes') {
  print({
    value: await bytesEach(async (count) => {
      const idle = Array.from({ length: count }, () => new Idle());
      const pids = idle.map((one) => runtime.spawn(one));
      for (const pid of pids) runtime.send(pid, Item, { n: 1 });
      return { kept: pids, seen: () => idle.reduce((sum, one) => sum + one.seen, 0) };
    }),
  });
} else {
  print({ value: await bestRate(name, cases[name]) });
}
await runtime.stop();
