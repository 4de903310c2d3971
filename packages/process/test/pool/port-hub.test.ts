import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';

import { Future, type Message, ProcessError, Runtime } from '@mezzo/process';
import { portTransport, PortHub, WorkerCrashed, workerNode } from '@mezzo/process/pool';
import { expect } from 'chai';

import { Add, Adder, Listener, Sum } from '../transport/processes.ts';
import { deaf, failure as failureIn, outcome as outcomeIn, poll } from '../transport/worlds.ts';
import { Count, Crash, Echo, Echoed, Next, Report, Stop, Tell } from './fixtures/tally.ts';
import { fixture, spawnOptions } from './threads.ts';

const outcome = <T>(future: Parameters<typeof outcomeIn<T>>[1]): Promise<T> => outcomeIn({ until: poll }, future);
const failure = (future: Parameters<typeof failureIn>[1]): Promise<Error> => failureIn({ until: poll }, future);

describe('a hub of ports', () => {
  let hub: PortHub;
  let errors: string[];
  const runtimes: Runtime[] = [];

  beforeEach(() => {
    errors = [];
    hub = new PortHub({ onError: (error, context) => errors.push(`${context}: ${String(error)}`) });
  });
  afterEach(async () => {
    for (const runtime of runtimes.splice(0)) await runtime.stop();
    await hub.close();
  });

  async function start(name: string): Promise<Runtime> {
    const runtime = await Runtime.start({
      name,
      transport: hub.transport(),
      heartbeatInterval: '100ms',
      linkTimeout: '1s',
      onError: (error) => errors.push(error instanceof ProcessError ? error.code : String(error)),
    });
    runtimes.push(runtime);
    return runtime;
  }

  /** A node that speaks to the hub by hand. */
  function byHand(node: string) {
    const port = hub.connect();
    const heard: unknown[] = [];
    let answers = 0;
    port.on('message', (value: unknown) => {
      if (Array.isArray(value) && value[0] === 'check') answers++;
      else heard.push(value);
    });
    const say = (value: unknown): void => port.postMessage(value);
    say(['start', node]);
    const answered = async (): Promise<void> => {
      say(['check', '']);
      await poll(() => answers > 0, 'the hub answers');
    };
    return { heard, say, answered };
  }

  const ask = <Q, A>(runtime: Runtime, to: string, kind: Message<Q>, body: Q, reply: Message<A>) =>
    outcome(runtime.ask(runtime.pid(to), kind, body, { reply, timeout: '20s' }));

  describe('with worker threads', () => {
    it('makes the runtime in a thread a node that is asked and answers', async () => {
      const main = await start('main');
      await hub.spawnWorker(fixture('node.ts'), spawnOptions('thread', { label: 'from workerData' }));
      expect(hub.nodes).to.deep.equal(['main', 'thread']);
      for (let round = 0; round < 20; round++) {
        main.send(main.pid('tally@thread'), Next, { n: round });
        const count = await ask(main, 'tally@thread', Report, null, Count);
        expect(count).to.deep.equal({ n: round + 1, inOrder: true, label: 'from workerData' });
      }
    });

    it('keeps 10,000 messages to a thread, and from one thread to another, in order', async () => {
      const main = await start('main');
      await Promise.all([
        hub.spawnWorker(fixture('node.ts'), spawnOptions('one')),
        hub.spawnWorker(fixture('node.ts'), spawnOptions('two')),
      ]);
      for (let n = 0; n < 10_000; n++) expect(main.send(main.pid('tally@one'), Next, { n })).to.equal(true);
      expect(await ask(main, 'tally@one', Report, null, Count)).to.include({ n: 10_000, inOrder: true });
      const told = await ask(main, 'teller@one', Tell, { to: 'tally@two', n: 10_000 }, Count);
      expect(told).to.include({ n: 10_000, inOrder: true });
    });

    it('carries bytes of any size there and back unchanged', async () => {
      const main = await start('main');
      await hub.spawnWorker(fixture('node.ts'), spawnOptions('thread'));
      for (const size of [0, 1, 1000, 70_000, 3_000_000]) {
        const bytes = Uint8Array.from({ length: size }, (_, at) => at * 7 + size);
        const echoed = await ask(main, 'tally@thread', Echo, bytes, Echoed);
        expect(Buffer.from(echoed).equals(bytes), `${size} bytes`).to.equal(true);
      }
    });

    it('has links exit as lost when a thread is terminated, and gives its name to the next', async () => {
      const main = await start('main');
      const worker = await hub.spawnWorker(fixture('node.ts'), spawnOptions('thread'));
      const listener = new Listener('listener', main.pid('tally@thread'));
      main.spawn(listener);
      await ask(main, 'tally@thread', Report, null, Count);
      await worker.terminate();
      await poll(() => listener.heard.length > 0);
      expect(listener.heard).to.deep.equal(['exited tally@thread lost']);
      expect(hub.nodes).to.deep.equal(['main']);
      expect(errors).to.deep.equal([]);
      await hub.spawnWorker(fixture('node.ts'), spawnOptions('thread'));
      await ask(main, 'tally@thread', Report, null, Count);
    });

    it('has links exit and reports the error when a thread crashes', async () => {
      const main = await start('main');
      await hub.spawnWorker(fixture('node.ts'), spawnOptions('thread'));
      const listener = new Listener('listener', main.pid('tally@thread'));
      main.spawn(listener);
      await ask(main, 'tally@thread', Report, null, Count);
      main.send(main.pid('tally@thread'), Crash, null);
      await poll(() => listener.heard.length > 0);
      expect(listener.heard).to.deep.equal(['exited tally@thread lost']);
      expect(errors).to.deep.equal(["worker 'thread' crashed: Error: out of order"]);
    });

    it('lets the thread end by itself when its runtime stops, and links exit as terminated', async () => {
      const main = await start('main');
      const worker = await hub.spawnWorker(fixture('node.ts'), spawnOptions('thread'));
      const listener = new Listener('listener', main.pid('tally@thread'));
      main.spawn(listener);
      await ask(main, 'tally@thread', Report, null, Count);
      const exit = once(worker, 'exit');
      main.send(main.pid('tally@thread'), Stop, null);
      expect(await exit).to.deep.equal([0]);
      await poll(() => listener.heard.length > 0);
      expect(listener.heard).to.deep.equal(['exited tally@thread terminated']);
      expect(errors).to.deep.equal([]);
    });

    it('says why a thread did not start: it threw', async () => {
      const error = await failure(hub.spawnWorker(fixture('node.ts'), spawnOptions('thread', { fault: 'throws' })));
      expect(error).to.be.instanceOf(WorkerCrashed).with.property('code', 'WORKER_CRASHED');
      expect(error.message).to.match(
        /^Worker 'thread' \(file:.*node\.ts\) did not start: it crashed: no disk in this thread$/,
      );
      expect(error.cause).to.be.instanceOf(Error).with.property('message', 'no disk in this thread');
      expect(errors).to.deep.equal([]);
    });

    it('says why a thread did not start: it ended without a node, or there is no such file', async () => {
      const idle = await failure(
        hub.spawnWorker(fixture('node.ts'), spawnOptions('thread', { fault: 'does nothing' })),
      );
      expect(idle).to.be.instanceOf(WorkerCrashed);
      expect(idle.message).to.include('it exited with code 3; does it call Runtime.start(workerNode())?');
      const missing = await failure(hub.spawnWorker(fixture('no-such-file.ts'), spawnOptions('thread')));
      expect(missing).to.be.instanceOf(WorkerCrashed);
      expect(missing.message).to.include('Cannot find module').and.to.include('no-such-file.ts');
    });

    it('refuses a thread whose name a node has, and ends it', async () => {
      await start('main');
      const { port1, port2 } = new MessageChannel();
      const end = once(port1, 'close');
      const options = spawnOptions('main', { kept: port2, fault: 'does not crash' });
      const error = await failure(hub.spawnWorker(fixture('node.ts'), { ...options, transferList: [port2] }));
      expect(error).to.have.property('code', 'NODE_NAME_TAKEN');
      expect(error.message).to.include("Cannot start worker 'main'");
      await end;
      expect(hub.nodes).to.deep.equal(['main']);
      expect(errors).to.deep.equal([]);
    });

    it('ends a thread whose start is discarded', async () => {
      const { port1, port2 } = new MessageChannel();
      const options = { ...spawnOptions('thread', { kept: port2 }), transferList: [port2] };
      const starting = hub.spawnWorker(fixture('node.ts'), options);
      const end = once(port1, 'close');
      starting.discard();
      expect(starting.isDiscarded).to.equal(true);
      await end;
      expect(hub.nodes).to.deep.equal([]);
    });

    it('refuses invalid node names before it starts a thread', () => {
      expect(() => hub.spawnWorker(fixture('node.ts'), spawnOptions('a.b')))
        .to.throw(ProcessError)
        .with.property('code', 'NODE_NAME_INVALID');
    });

    it('ends them when it closes, whatever they do', async () => {
      const { port1, port2 } = new MessageChannel();
      const options = { ...spawnOptions('thread', { kept: port2 }), transferList: [port2] };
      const worker = await hub.spawnWorker(fixture('node.ts'), options);
      const exit = once(worker, 'exit');
      await hub.close();
      await exit;
      port1.close();
      const error = await failure(hub.spawnWorker(fixture('node.ts'), spawnOptions('thread')));
      expect(error).to.have.property('code', 'TRANSPORT_UNAVAILABLE');
    });
  });

  it('refuses a second node of a name, and lets the first go on', async () => {
    const first = await start('a');
    first.spawn(new Adder('adder'));
    const error = await failure(Future.from(start('a')));
    expect(error).to.have.property('code', 'NODE_NAME_TAKEN');
    const b = await start('b');
    expect(await ask(b, 'adder@a', Add, { n: 1 }, Sum)).to.deep.equal({ n: 2 });
    await first.stop();
    await start('a');
  });

  it('tells runtimes when it closes: links exit, and nothing can be sent', async () => {
    const a = await start('a');
    const b = await start('b');
    b.spawn(new Adder('adder'));
    const listener = new Listener('listener', a.pid('adder@b'));
    a.spawn(listener);
    await ask(a, 'adder@b', Add, { n: 1 }, Sum);
    await hub.close();
    await poll(() => listener.heard.length > 0 && errors.length === 2);
    expect(listener.heard).to.deep.equal(['exited adder@b lost']);
    expect(errors).to.deep.equal(['TRANSPORT_UNAVAILABLE', 'TRANSPORT_UNAVAILABLE']);
    expect(a.send(a.pid('adder@b'), Add, { n: 1 })).to.equal(false);
    expect(await failure(Future.from(start('c')))).to.have.property('code', 'TRANSPORT_UNAVAILABLE');
  });

  it('moves copies of frames: the buffer that a frame is a view of stays whole', async () => {
    const [from, to] = [hub.transport(), hub.transport()];
    const frames: Uint8Array[] = [];
    await from.start('from', 1, deaf);
    await to.start('to', 1, { ...deaf, frame: (peer, bytes) => frames.push(Uint8Array.of(peer.length, ...bytes)) });
    const slab = new Uint8Array(100).fill(7);
    from.publish('to', slab.subarray(10, 13));
    slab.fill(8);
    from.publish('to', slab.subarray(20, 22));
    await poll(() => frames.length === 2);
    expect(frames).to.deep.equal([Uint8Array.of(4, 7, 7, 7), Uint8Array.of(4, 8, 8)]);
    expect(slab).to.have.length(100);
    await Promise.all([from.stop(), to.stop()]);
  });

  it('says at once that nobody has a name, and tells everybody when a name is given up', async () => {
    const [from, to] = [hub.transport(), hub.transport()];
    const missing: string[] = [];
    await from.start('from', 1, { ...deaf, noResponders: (peer) => missing.push(peer) });
    await to.start('to', 1, deaf);
    from.publish('nobody', new Uint8Array(1));
    await from.check();
    expect(missing).to.deep.equal(['nobody']);
    await to.stop();
    await poll(() => missing.length === 2);
    expect(missing).to.deep.equal(['nobody', 'to']);
    await from.stop();
  });

  it('delivers what was published before a node stopped', async () => {
    const [from, to] = [hub.transport(), hub.transport()];
    let frames = 0;
    await from.start('from', 1, deaf);
    await to.start('to', 1, { ...deaf, frame: () => frames++ });
    for (let n = 0; n < 1000; n++) from.publish('to', new Uint8Array(10));
    await from.stop();
    await poll(() => frames === 1000);
    await to.stop();
  });

  it('spreads announcements to every node that listens, the announcer included, until it ceases to', async () => {
    const [a, b] = [hub.transport(), hub.transport()];
    expect(() => a.listen('news', () => {}))
      .to.throw(ProcessError)
      .with.property('code', 'TRANSPORT_UNAVAILABLE');
    await Promise.all([a.start('a', 1, deaf), b.start('b', 1, deaf)]);
    const heard: string[] = [];
    const hear = (who: string) => (data: Uint8Array) => heard.push(`${who} ${Buffer.from(data).toString()}`);
    const subscriptions = [a.listen('news.today', hear('a')), a.listen('news.today', hear('a again'))];
    b.listen('news.today', hear('b'));
    b.listen('news', hear('never'));
    // The hub has heard by now who listens.
    await b.check();
    a.announce('news.today', Buffer.from('one'));
    await poll(() => heard.length >= 3);
    for (const subscription of subscriptions) subscription.cancel();
    a.announce('news.today', Buffer.from('two'));
    await poll(() => heard.length >= 4);
    await a.check();
    expect(heard.toSorted()).to.deep.equal(['a again one', 'a one', 'b one', 'b two']);
    expect(() => a.announce('no/topic', new Uint8Array(1)))
      .to.throw(ProcessError)
      .with.property('code', 'TOPIC_INVALID');
    await Promise.all([a.stop(), b.stop()]);
  });

  it('gives a port to a thread that was started otherwise', async () => {
    const main = await start('main');
    const other = await Runtime.start({ name: 'other', transport: portTransport(hub.connect()) });
    runtimes.push(other);
    other.spawn(new Adder('adder'));
    expect(await ask(main, 'adder@other', Add, { n: 1 }, Sum)).to.deep.equal({ n: 2 });
  });

  it('ignores what is no message of a node', async () => {
    const { heard, say, answered } = byHand('a');
    const frames = [
      ['frame', 'a'],
      ['frame', 'a', 'text'],
      ['frame', 7, new Uint8Array(1)],
    ];
    for (const nonsense of [null, 'start', [], ['start'], ['start', 7], ['dance', ''], ...frames]) say(nonsense);
    say(['start', 'another']);
    await answered();
    expect(heard).to.deep.equal([['started', 'a']]);
    expect(hub.nodes).to.deep.equal(['a']);
    say(['stop', '']);
    await poll(() => hub.nodes.length === 0);
  });

  it('carries nothing for a node that has not got its name', async () => {
    const { heard, answered } = byHand('a');
    await poll(() => heard.length === 1);
    const nameless = hub.connect();
    nameless.postMessage(['frame', 'a', new Uint8Array(1)]);
    nameless.postMessage(['announce', 'news', new Uint8Array(1)]);
    nameless.postMessage(['start', 'a']);
    const [refusal] = (await once(nameless, 'message')) as unknown[];
    expect(refusal).to.deep.equal(['refused', 'a']);
    await answered();
    expect(heard).to.deep.equal([['started', 'a']]);
    nameless.close();
  });

  it('sends announcements only to where somebody listens', async () => {
    const { heard, say, answered } = byHand('a');
    const announce = (n: number): void => say(['announce', 'news', Uint8Array.of(n)]);
    announce(1);
    say(['listen', 'news']);
    announce(2);
    say(['ignore', 'news']);
    announce(3);
    await answered();
    expect(heard).to.deep.equal([
      ['started', 'a'],
      ['announce', 'news', Uint8Array.of(2)],
    ]);
  });

  it('whose port says nonsense has it counted by the node', async () => {
    const { port1, port2 } = new MessageChannel();
    const rejected: string[] = [];
    const transport = portTransport(port2);
    const starting = transport.start('a', 1, { ...deaf, rejected: (from, why) => rejected.push(`${from}: ${why}`) });
    port1.postMessage('nonsense');
    port1.postMessage(['started', 'a']);
    await outcome(starting);
    expect(rejected).to.deep.equal(['the hub: something that no hub says']);
    const stopped = transport.stop();
    port1.close();
    await outcome(stopped);
  });

  it('has a place for workers only: elsewhere workerNode() says so', () => {
    expect(() => workerNode())
      .to.throw(ProcessError, 'PortHub.spawnWorker')
      .with.property('code', 'TRANSPORT_UNAVAILABLE');
  });
});
