import { type LocalPID, message, type PID, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import {
  AnnouncementDetector,
  Detect,
  Detected,
  detectTopic,
  encodeLeader,
  type Leader,
  leaderTopic,
} from '@mezzo/protocol';
import { expect } from 'chai';

const cluster = 'blue';

class Idle extends Process {}

/** Asks who leads and keeps the answers. */
class Asker extends Process {
  readonly answers: (Leader | undefined)[] = [];
  readonly #detector: PID;

  constructor(detector: PID) {
    super('asker');
    this.#detector = detector;
    this.install(Detected, ({ leader }) => void this.answers.push(leader));
    this.install(AskAgain, (previous) => this.send(this.#detector, Detect, { previous }));
  }
}
const AskAgain = message<Leader | undefined>('ask-again');

async function setting() {
  const world = new Simulation();
  const follower = await world.start('follower');
  const detector = follower.spawn(new AnnouncementDetector({ cluster }));
  const asker = new Asker(detector);
  const pid = follower.spawn(asker);
  return {
    world,
    follower,
    answers: asker.answers,
    /** The revisions of the leaders that were named; 0 for none. */
    revisions: () => asker.answers.map((leader) => leader?.term.revision ?? 0),
    ask: (previous?: Leader) => follower.send(pid, AskAgain, previous),
    /** A master on a node of its own. */
    master: async (name: string): Promise<Master> => {
      const runtime = await world.start(name);
      return { runtime, pid: runtime.spawn(new Idle(runtime.generateId('master'))) };
    },
  };
}

interface Master {
  readonly runtime: Runtime;
  readonly pid: LocalPID<Idle>;
}

function announce({ runtime, pid }: Master, revision: number, other: Partial<Leader> = {}): Leader {
  const leader = { cluster, address: pid.address, term: { created: 5, revision }, url: '', ...other };
  runtime.announce(leaderTopic, encodeLeader(leader));
  return leader;
}

describe('the detector that follows announcements', () => {
  it('asks the leader to announce itself until it does, and never again while that lives', async () => {
    const { world, master } = await setting();
    await using _ = world;
    const one = await master('one');
    const asked: string[] = [];
    one.runtime.listen(detectTopic, (data) => void asked.push(new TextDecoder().decode(data)));
    await world.advance('10s');
    expect(asked.length).to.be.within(19, 21);
    expect(new Set(asked)).to.deep.equal(new Set([cluster]));
    announce(one, 1);
    const before = asked.length;
    await world.advance('1mins');
    expect(asked.length - before).to.be.at.most(1);
  });

  it('answers as soon as somebody else leads than the asker knows, once', async () => {
    const { world, master, ask, answers } = await setting();
    await using _ = world;
    const [one, two] = [await master('one'), await master('two')];
    ask();
    await world.advance('1s');
    expect(answers).to.deep.equal([]);
    const first = announce(one, 1);
    await world.advance('1s');
    expect(answers).to.deep.equal([first]);
    ask(first);
    announce(one, 1);
    await world.advance('1s');
    expect(answers).to.have.length(1);
    const second = announce(two, 2);
    await world.advance('1s');
    expect(answers).to.deep.equal([first, second]);
    announce(one, 3);
    await world.advance('1s');
    expect(answers).to.have.length(2);
  });

  it('answers whoever asks twice once', async () => {
    const { world, master, ask, answers } = await setting();
    await using _ = world;
    const one = await master('one');
    ask();
    ask();
    await world.advance('1s');
    announce(one, 1);
    await world.advance('1s');
    expect(answers).to.have.length(1);
  });

  it('follows a newer term, also of the same master', async () => {
    const { world, master, ask, revisions } = await setting();
    await using _ = world;
    const one = await master('one');
    const first = announce(one, 1);
    await world.advance('1s');
    ask(first);
    announce(one, 2);
    await world.advance('1s');
    expect(revisions()).to.deep.equal([2]);
  });

  it('takes a younger lease store for newer whatever the revision', async () => {
    const { world, master, ask, answers } = await setting();
    await using _ = world;
    const [one, two] = [await master('one'), await master('two')];
    const first = announce(one, 9);
    await world.advance('1s');
    ask(first);
    announce(two, 1, { term: { created: 6, revision: 1 } });
    await world.advance('1s');
    expect(answers.map((leader) => leader?.term)).to.deep.equal([{ created: 6, revision: 1 }]);
  });

  it('tells when the leader is gone: its process ended, or its node is lost', async () => {
    for (const end of ['process', 'node'] as const) {
      const { world, master, ask, revisions } = await setting();
      await using _ = world;
      const one = await master('one');
      const leader = announce(one, 1);
      await world.advance('1s');
      ask(leader);
      if (end === 'process') one.runtime.terminate(one.pid);
      else world.crash('one');
      await world.advance(end === 'process' ? '1s' : '10s');
      expect(revisions(), end).to.deep.equal([0]);
    }
  });

  it('never follows an older term, not even when the newest leader is gone', async () => {
    const { world, master, ask, revisions } = await setting();
    await using _ = world;
    const [old, young] = [await master('old'), await master('young')];
    announce(old, 1);
    await world.advance('1s');
    const leader = announce(young, 2);
    await world.advance('1s');
    announce(old, 1);
    await world.advance('1s');
    ask();
    await world.advance('1s');
    expect(revisions()).to.deep.equal([2]);
    young.runtime.terminate(young.pid);
    ask(leader);
    await world.advance('1s');
    expect(revisions()).to.deep.equal([2, 0]);
    // It stood still, and has just woken.
    announce(old, 1);
    ask();
    await world.advance('1s');
    expect(revisions()).to.deep.equal([2, 0]);
    announce(old, 3);
    await world.advance('1s');
    expect(revisions()).to.deep.equal([2, 0, 3]);
  });

  it('does not take the end of a former leader for that of the present one', async () => {
    const { world, master, ask, revisions } = await setting();
    await using _ = world;
    const [old, young] = [await master('old'), await master('young')];
    announce(old, 1);
    await world.advance('1s');
    const leader = announce(young, 2);
    await world.advance('1s');
    ask(leader);
    old.runtime.terminate(old.pid);
    await world.advance('10s');
    expect(revisions()).to.deep.equal([]);
  });

  it('finds the leader of the same term again after their nodes had lost each other', async () => {
    const { world, master, ask, revisions } = await setting();
    await using _ = world;
    const one = await master('one');
    one.runtime.listen(detectTopic, () => void announce(one, 1));
    ask();
    await world.advance('1s');
    expect(revisions()).to.deep.equal([1]);
    world.network.disconnect('one');
    ask(announce(one, 1));
    await world.advance('20s');
    expect(revisions()).to.deep.equal([1, 0]);
    ask();
    world.network.reconnect('one');
    await world.advance('10s');
    expect(revisions()).to.deep.equal([1, 0, 1]);
  });

  it('finds a master on a node that was started again while nobody looked', async () => {
    const { world, master, ask, revisions } = await setting();
    await using _ = world;
    const one = await master('one');
    announce(one, 1);
    await world.advance('1s');
    // From now on nothing here depends on that node.
    one.runtime.terminate(one.pid);
    await world.advance('10s');
    world.crash('one');
    const again = await master('one');
    again.runtime.listen(detectTopic, () => void announce(again, 2));
    await world.advance('10s');
    ask(announce(again, 2));
    await world.advance('10s');
    expect(revisions()).to.deep.equal([]);
    ask();
    await world.advance('1s');
    expect(revisions()).to.deep.equal([2]);
  });

  it('heeds no other cluster and nothing that is no announcement', async () => {
    const { world, master, ask, revisions } = await setting();
    await using _ = world;
    const one = await master('one');
    ask();
    announce(one, 1, { cluster: 'red' });
    for (const address of ['nonsense', '', 'master@one', '@#1.1']) announce(one, 1, { address });
    for (const text of ['', '{', '[]', '{"cluster": "blue"}']) {
      one.runtime.announce(leaderTopic, new TextEncoder().encode(text));
    }
    one.runtime.announce(leaderTopic, Uint8Array.of(0xff, 0xfe));
    await world.advance('1s');
    expect(revisions()).to.deep.equal([]);
    announce(one, 1);
    await world.advance('1s');
    expect(revisions()).to.deep.equal([1]);
  });
});
