import { PID, Process, Runtime } from '@mezzo/process';
import {
  AgentID,
  agentMessages,
  AnnouncementDetector,
  Detect,
  Detected,
  FrameworkID,
  Resources,
  schedulerMessages,
  TaskID,
} from '@mezzo/protocol';

const cluster = 'mezzo';
const capabilities = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
];
const taskResources = [...Resources.parse('cpus:1;mem:64')];
/** Milliseconds between attempts, at first: registration_backoff_factor of agents and of schedulers. */
const agentBackoff = 1000;
const schedulerBackoff = 2000;
/** Milliseconds after which an update is sent again (STATUS_UPDATE_RETRY_INTERVAL_MIN). */
const repeatInterval = 10_000;

/** What all peers together have counted, and what they wait for. */
const noCounts = () => ({
  sent: 0,
  received: 0,
  /** Those that the leader knows now. */
  agents: 0,
  schedulers: 0,
  offers: 0,
  /** In offers. */
  cpus: 0,
  /** Schedulers that hold an offer of the present leader. */
  served: 0,
  running: 0,
  ended: 0,
  acknowledged: 0,
  reconciled: 0,
  /** Milliseconds from an offer to the update that says that its task runs, if they are kept. */
  latencies: undefined,
});

class Peer extends Process {
  constructor(id, peers) {
    super(id);
    this.peers = peers;
  }

  hear(kind, handler) {
    const { counts } = this.peers;
    this.install(kind, (body, from) => {
      counts.received++;
      handler(body, from);
    });
  }

  /** Is to be known to the present leader; set when that says so. */
  isKnown = false;
  attempts = undefined;

  setKnown(isKnown) {
    if (this.isKnown !== isKnown) this.peers.counts[this.kind] += isKnown ? 1 : -1;
    this.isKnown = isKnown;
  }

  /** Tells the leader who this is, again and again, at times like a real one's. */
  introduceLater(wait, bound) {
    this.attempts?.cancel();
    this.attempts = this.delay(wait, () => {
      if (this.isKnown) return;
      this.link(this.peers.master);
      this.introduce();
      this.introduceLater(...this.next(bound));
    });
  }

  /** The session to the leader began anew: what was said before may be lost. */
  exited(pid) {
    if (!pid.equals(this.peers.master)) return;
    this.setKnown(false);
    this.introduceLater(...this.next(this.backoff));
  }

  tell(kind, body) {
    this.peers.counts.sent++;
    // What is refused here is lost, and whoever waits for what it would have led to says so.
    this.send(this.peers.master, kind, body);
  }
}

/** Says what an agent says; what it is to run says at once that it runs. */
class BenchAgent extends Peer {
  kind = 'agents';
  backoff = agentBackoff;
  agentId = undefined;
  /** By id; each has the status that is not acknowledged yet. */
  tasks = new Map();

  constructor(number, peers, resources) {
    super(`agent-${number}`, peers);
    this.info = { hostname: `host-${number}`, resources, attributes: {}, url: '' };
  }

  initialize() {
    const { counts } = this.peers;
    this.hear(agentMessages.AgentRegistered, ({ agentId }) => {
      this.agentId = agentId;
      this.setKnown(true);
    });
    this.hear(agentMessages.AgentReregistered, () => this.setKnown(true));
    this.hear(agentMessages.Ping, () => this.tell(agentMessages.Pong, { agentId: this.agentId }));
    this.hear(agentMessages.RunTask, (body) => this.run(body));
    this.hear(agentMessages.AcknowledgeStatusUpdate, ({ taskId, uuid }) => {
      const task = this.tasks.get(taskId);
      // Of an update that was sent twice.
      if (task?.uuid !== uuid) return;
      counts.acknowledged++;
      task.uuid = undefined;
      if (task.state !== 'TASK_RUNNING') this.tasks.delete(taskId);
      else if (task.isOver) this.update(taskId, 'TASK_FINISHED');
    });
    this.hear(agentMessages.UpdateFramework, () => undefined);
    this.hear(agentMessages.ShutdownAgent, ({ message }) => this.peers.fail(`the master refused an agent: ${message}`));
  }

  next(bound) {
    return [Math.random() * bound, bound * 2];
  }

  introduce() {
    if (this.agentId === undefined)
      return this.tell(agentMessages.RegisterAgent, { agent: this.info, version: '0.1.0', capabilities });
    const frameworks = new Map();
    const tasks = [...this.tasks].map(([taskId, { frameworkId, framework, resources, name, state }]) => {
      frameworks.set(frameworkId, framework);
      return { taskId, frameworkId, agentId: this.agentId, name, state, resources, statuses: [] };
    });
    this.tell(agentMessages.ReregisterAgent, {
      agent: { ...this.info, id: this.agentId },
      version: '0.1.0',
      capabilities,
      tasks,
      frameworks: [...frameworks.values()],
    });
  }

  run({ frameworkId, framework, task: { taskId, name, resources, labels } }) {
    if (this.tasks.has(taskId)) return this.peers.fail(`${taskId} was launched twice`);
    this.tasks.set(taskId, { frameworkId, framework, name, resources, state: '', uuid: undefined, isOver: false });
    this.update(taskId, 'TASK_RUNNING');
    if (labels?.duration !== undefined) this.delay(Number(labels.duration), () => this.finish(taskId));
  }

  finishAll() {
    for (const taskId of this.tasks.keys()) this.finish(taskId);
  }

  /** One update after the other: the next one when the last one is acknowledged. */
  finish(taskId) {
    const task = this.tasks.get(taskId);
    task.isOver = true;
    if (task.uuid === undefined) this.update(taskId, 'TASK_FINISHED');
  }

  update(taskId, state) {
    const task = this.tasks.get(taskId);
    task.state = state;
    task.uuid = this.runtime.random.uuid();
    this.report(taskId, task);
    if (!this.isRepeating) this.repeatLater();
  }

  report(taskId, { frameworkId, state, uuid }) {
    const { agentId } = this;
    const timestamp = this.runtime.clock.now();
    const status = { taskId, state, source: 'SOURCE_EXECUTOR', agentId, timestamp, uuid };
    this.tell(agentMessages.ForwardStatusUpdate, { update: { frameworkId, agentId, latestState: state, status } });
  }

  isRepeating = false;

  /** What is not acknowledged in time is said again, as real agents do it. */
  repeatLater() {
    this.isRepeating = true;
    const due = [...this.tasks]
      .filter(([, { uuid }]) => uuid !== undefined)
      .map(([taskId, { uuid }]) => [taskId, uuid]);
    this.delay(repeatInterval, () => {
      this.isRepeating = false;
      for (const [taskId, uuid] of due) {
        const task = this.tasks.get(taskId);
        if (task?.uuid === uuid) this.report(taskId, task);
      }
      if ([...this.tasks.values()].some(({ uuid }) => uuid !== undefined)) this.repeatLater();
    });
  }
}

/** Launches what fits into each offer, either at once or when it is told to. */
class BenchScheduler extends Peer {
  kind = 'schedulers';
  backoff = schedulerBackoff;
  frameworkId = undefined;
  offers = [];
  isServed = false;
  /** What to do with an offer at once: `keep`, `launch` or `decline` it. */
  habit = 'keep';
  launched = 0;
  /** When the offer of a task came; 0 once it runs. */
  offeredAt = new Map();

  constructor(number, peers) {
    super(`scheduler-${number}`, peers);
    this.name = `framework-${number}`;
    const role = `role-${number}`;
    this.framework = {
      name: this.name,
      roles: [role],
      failoverTimeout: 604_800_000,
      checkpoint: true,
      capabilities: [],
    };
  }

  initialize() {
    const { counts } = this.peers;
    this.hear(schedulerMessages.Subscribed, ({ frameworkId }) => {
      this.frameworkId = FrameworkID(frameworkId);
      this.setKnown(true);
    });
    this.hear(schedulerMessages.Offers, ({ offers }) => {
      const now = performance.now();
      counts.offers += offers.length;
      for (const offer of offers) counts.cpus += cpusOf(offer);
      if (!this.isServed) counts.served++;
      this.isServed = true;
      for (const offer of offers) {
        if (this.habit === 'launch') this.launchSoon(offer, now);
        else if (this.habit === 'keep') this.offers.push(offer);
      }
      if (this.habit === 'decline')
        this.tell(schedulerMessages.Decline, { frameworkId: this.frameworkId, offerIds: offers.map(({ id }) => id) });
    });
    this.hear(schedulerMessages.Rescind, ({ offerId }) => {
      this.offers = this.offers.filter(({ id }) => id !== offerId);
    });
    this.hear(schedulerMessages.Update, ({ status }) => this.updated(status));
    this.hear(schedulerMessages.Failure, () => this.peers.fail('the master lost an agent'));
    this.hear(schedulerMessages.FrameworkError, ({ message }) =>
      this.peers.fail(`a framework was refused: ${message}`),
    );
  }

  next(bound) {
    return [bound * (0.5 + Math.random() / 2), bound * 2];
  }

  introduce() {
    const id = this.frameworkId === undefined ? {} : { id: this.frameworkId };
    this.tell(schedulerMessages.Subscribe, { framework: { ...this.framework, ...id } });
  }

  updated({ taskId, state, agentId, uuid, reason, message }) {
    const { counts } = this.peers;
    if (reason === 'REASON_RECONCILIATION' && state === 'TASK_RUNNING') return void counts.reconciled++;
    if (uuid === undefined) return this.peers.fail(`${taskId} is ${state}: ${message}`);
    const offeredAt = this.offeredAt.get(taskId);
    if (state === 'TASK_RUNNING' && offeredAt > 0) {
      counts.running++;
      counts.latencies?.push(performance.now() - offeredAt);
      this.offeredAt.set(taskId, 0);
    } else if (state === 'TASK_FINISHED' && this.offeredAt.delete(taskId)) {
      counts.ended++;
    }
    this.tell(schedulerMessages.Acknowledge, { frameworkId: this.frameworkId, agentId, taskId, uuid });
  }

  launchSoon(offer, now) {
    const pause = this.peers.pause();
    if (pause > 0) this.delay(pause, () => this.launch(offer, performance.now()));
    else this.launch(offer, now);
  }

  /** On all offers that it has kept, with so many CPUs of each agent left over. */
  launchAll(spare) {
    const now = performance.now();
    const { offers } = this;
    this.offers = [];
    for (const offer of offers) this.launch(offer, now, spare);
  }

  launch(offer, now, spare = 0) {
    const { id, agentId } = offer;
    const count = cpusOf(offer) - spare;
    const tasks = [];
    for (let index = 0; index < count; index++) {
      const taskId = TaskID(`${this.name}.${this.launched++}`);
      const duration = this.peers.duration();
      this.offeredAt.set(taskId, now);
      tasks.push({
        taskId,
        name: taskId,
        agentId: AgentID(agentId),
        resources: taskResources,
        command: { value: 'sleep 30', shell: true, arguments: [], environment: {} },
        ...(duration === undefined ? {} : { labels: { duration: String(duration) } }),
      });
    }
    this.peers.launched += tasks.length;
    this.tell(schedulerMessages.Accept, {
      frameworkId: this.frameworkId,
      offerIds: [id],
      operations: [{ type: 'LAUNCH', tasks }],
    });
  }

  reconcile() {
    this.tell(schedulerMessages.Reconcile, { frameworkId: this.frameworkId, tasks: [] });
  }
}

function cpusOf({ resources }) {
  return resources.find(({ name }) => name === 'cpus')?.scalar ?? 0;
}

/** Hears who leads, for all of them: announcements to ten thousand listeners would measure something else. */
class Follower extends Process {
  constructor(detector, follow) {
    super('follower');
    this.install(Detected, ({ leader }) => {
      this.send(detector, Detect, leader === undefined ? {} : { previous: leader });
      if (leader !== undefined) follow(leader);
    });
    this.detector = detector;
  }
  initialize() {
    this.send(this.detector, Detect, {});
  }
}

/** All agents and schedulers: real messages, each scheduler on a node of its own, so many agents on one. */
export class Peers {
  counts = noCounts();
  agents = [];
  schedulers = [];
  launched = 0;
  /** Milliseconds that a task is to run; undefined for one that runs until it is ended. */
  duration = () => undefined;
  /** Milliseconds between an offer and what is launched on it. */
  pause = () => 0;
  /** An exact address. */
  master = undefined;
  onLeader = () => undefined;
  #runtimes = [];
  #transport;

  /** @param transport makes one for each node. */
  constructor(transport) {
    this.#transport = transport;
  }

  fail(message) {
    process.stderr.write(`${message}\n`);
    process.exit(1);
  }

  async start({ agents, agentsPerNode, frameworks, resources }) {
    const own = [...Resources.parse(resources)];
    for (let first = 0; first < agents; first += agentsPerNode) {
      const runtime = await this.#node(`agents-${first}`);
      for (let number = first; number < Math.min(first + agentsPerNode, agents); number++) {
        const agent = new BenchAgent(number, this, own);
        this.agents.push(agent);
        runtime.spawn(agent);
      }
    }
    for (let number = 0; number < frameworks; number++) {
      const scheduler = new BenchScheduler(number, this);
      this.schedulers.push(scheduler);
      (await this.#node(`framework-${number}`)).spawn(scheduler);
    }
    const [runtime] = this.#runtimes;
    const detector = runtime.spawn(new AnnouncementDetector({ cluster }));
    runtime.spawn(
      new Follower(detector, ({ address }) => {
        this.master = PID.parse(address);
        this.onLeader();
      }),
    );
    await this.until(() => this.master !== undefined, 'no master');
  }

  register() {
    for (const agent of this.agents) {
      agent.setKnown(false);
      agent.introduceLater(...agent.next(agentBackoff));
    }
  }

  subscribe() {
    this.counts.served = 0;
    for (const scheduler of this.schedulers) {
      scheduler.setKnown(false);
      scheduler.isServed = false;
      scheduler.offers = [];
      scheduler.introduceLater(0, schedulerBackoff);
    }
  }

  /** Milliseconds from now until it is so; looked at in every turn of the event loop. */
  async until(isSo, complaint, patience = 120_000) {
    const start = performance.now();
    while (!isSo()) {
      if (performance.now() - start > patience)
        this.fail(`${complaint} within ${patience / 1000} s: ${JSON.stringify({ ...this.counts, latencies: [] })}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return performance.now() - start;
  }

  async stop() {
    await Promise.all(this.#runtimes.map((runtime) => runtime.stop()));
  }

  async #node(name) {
    const runtime = await Runtime.start({ name, transport: this.#transport() });
    this.#runtimes.push(runtime);
    return runtime;
  }
}
