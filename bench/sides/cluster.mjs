// node cluster.mjs WORK URL SEED_FILE PREFIX AGENTS FRAMEWORKS [TASKS_OF_EACH_AGENT [AGENTS_OF_EACH_NODE]] prints the figures of one
// master in another OS process, over NATS, whose agents and schedulers are all in this one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { print, quantile } from '../measure.mjs';
import { nats } from '@mezzo/process/nats';
import { MasterProcess } from './cluster-master-process.mjs';
import { Peers } from './cluster-peers.mjs';

const [work, url, seedFile, prefix, ...sizes] = process.argv.slice(2);
const [agents, frameworks, tasks = 2, agentsPerNode = 100] = sizes.map(Number);
const broker = [url, seedFile, prefix];
/** Milliseconds: the mean of what tasks take, and of what is measured of a cluster that goes on as it is. */
const taskDuration = 30_000;
const window = 30_000;
/** Normally distributed with a deviation of 10 s, and at least 1 s, as in Mesos's paper (section 6.5). */
function durationOfTask() {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Math.max(1000, Math.round(taskDuration + 10_000 * normal));
}
/** Milliseconds in which every agent is pinged once (agent_ping_timeout). */
const pingInterval = 15_000;

/** Beside what tasks take, some of each agent stays free, or nothing could be offered. */
const spare = work === 'failover' ? 2 : 0;
const resources = `cpus:${tasks + spare};mem:${(tasks + spare) * 64};disk:1048576;ports:[31000-32000]`;
const peers = new Peers(() => nats({ servers: url, nkeySeedFile: seedFile, prefix }));
const { counts } = peers;

async function start(registry) {
  const master = await MasterProcess.start(broker, registry);
  await peers.start({ agents, agentsPerNode, frameworks, resources });
  await sleep(1000);
  return master;
}

async function registerAll() {
  peers.register();
  return peers.until(() => counts.agents === agents, 'not all agents registered');
}

/** Seconds of the master's processor, and of what was sent meanwhile to and from it, in so many milliseconds. */
async function over(master, duration) {
  const before = { ...counts, cpu: await master.ask('cpu'), own: process.cpuUsage(), at: performance.now() };
  await sleep(duration);
  const seconds = (performance.now() - before.at) / 1000;
  const own = process.cpuUsage(before.own);
  return {
    seconds,
    cpu: (await master.ask('cpu')) - before.cpu,
    own: own.user + own.system,
    messages: counts.sent + counts.received - before.sent - before.received,
    running: counts.running - before.running,
    ended: counts.ended - before.ended,
  };
}

/** Frameworks that launch tasks of 30 s wherever they can, for as long as one looks. */
async function launch() {
  const master = await start();
  const empty = await master.ask('heap');
  const cpuBefore = await master.ask('cpu');
  const registered = await registerAll();
  const registering = (await master.ask('cpu')) - cpuBefore;
  const memory = (await master.ask('heap')) - empty;
  const idle = await over(master, pingInterval);
  // Those of the first wave start at any time, so that they also end at any time, as in a cluster that has been at work for long.
  peers.duration = durationOfTask;
  peers.pause = () => Math.random() * taskDuration;
  for (const scheduler of peers.schedulers) scheduler.habit = 'launch';
  peers.subscribe();
  const filled = await peers.until(() => counts.running >= agents * tasks, 'not all agents were used');
  peers.pause = () => 0;
  await sleep(taskDuration);
  counts.latencies = [];
  const busy = await over(master, window);
  const { latencies } = counts;
  counts.latencies = undefined;
  print({
    register: registered,
    registerCpu: registering / agents,
    memory: memory / agents,
    idleCpu: idle.cpu / idle.seconds / agents,
    fill: filled,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    longest: quantile(latencies, 1),
    tasks: busy.running / busy.seconds,
    messages: busy.messages / busy.seconds,
    // Of tasks whose launch and end are both in here, but for the idle cluster's share.
    taskCpu: (busy.cpu - (idle.cpu / idle.seconds) * busy.seconds) / ((busy.running + busy.ended) / 2),
    agentCpu: busy.cpu / busy.seconds / agents,
    load: busy.cpu / 1e4 / busy.seconds,
    peersLoad: busy.own / 1e4 / busy.seconds,
  });
  await master.stop();
}

/** All offers there are, and then as many tasks as they take, all at once. */
async function launchOnAll(master) {
  const expected = agents * tasks;
  const before = { ...counts, launched: peers.launched, cpu: await master.ask('cpu') };
  const started = performance.now();
  for (const scheduler of peers.schedulers) scheduler.launchAll(spare);
  if (peers.launched - before.launched !== expected)
    peers.fail(`${peers.launched - before.launched} of ${expected} tasks were launched`);
  await peers.until(() => counts.running - before.running === expected, 'not all tasks run');
  const seconds = (performance.now() - started) / 1000;
  await peers.until(() => counts.acknowledged - before.acknowledged === expected, 'not all updates were acknowledged');
  return { rate: expected / seconds, cpu: ((await master.ask('cpu')) - before.cpu) / expected };
}

/** Frameworks first, so that the allocator gives each as much as the others. */
async function offerAll() {
  peers.subscribe();
  await peers.until(() => counts.schedulers === frameworks, 'not all frameworks are subscribed');
  await registerAll();
  await allOffered(0);
}

/** Perhaps in pieces. */
async function allOffered(before) {
  await peers.until(() => counts.cpus - before === agents * (tasks + spare), 'not all agents were offered');
  await sleep(500);
}

/** Everything is launched at once, ended, and launched again: the best of the further runs. */
async function throughput() {
  const master = await start();
  await offerAll();
  const rates = [];
  const costs = [];
  let memory = 0;
  for (let run = 0; run < 3; run++) {
    const empty = run === 0 ? await master.ask('heap') : 0;
    const { rate, cpu } = await launchOnAll(master);
    if (run === 0) memory = ((await master.ask('heap')) - empty) / (agents * tasks);
    else rates.push(rate);
    costs.push(cpu);
    const { cpus, ended, acknowledged } = counts;
    for (const agent of peers.agents) agent.finishAll();
    await peers.until(() => counts.ended - ended === agents * tasks, 'not all tasks ended');
    await peers.until(() => counts.acknowledged - acknowledged === agents * tasks, 'not all ends were acknowledged');
    await allOffered(cpus);
  }
  print({ rate: Math.max(...rates), cpu: Math.min(...costs), memory });
  await master.stop();
}

/** The master is killed with all tasks running, and another one is started at once with the same registry. */
async function failover() {
  const registry = await mkdtemp(join(tmpdir(), 'mezzo-registry-'));
  const first = await start(registry);
  await offerAll();
  await launchOnAll(first);
  const now = performance.now();
  const since = () => performance.now() - now;
  const found = new Promise((resolve) => {
    peers.onLeader = () => {
      peers.subscribe();
      peers.register();
      resolve(since());
    };
  });
  // They have all they want; what they kept, those that subscribe last could not be offered.
  for (const scheduler of peers.schedulers) scheduler.habit = 'decline';
  first.kill();
  const second = await MasterProcess.start(broker, registry);
  const started = since();
  const leads = await found;
  const steps = {
    reregistered: () => counts.agents === agents,
    subscribed: () => counts.schedulers === frameworks,
    offered: () => counts.served === frameworks,
  };
  const times = {};
  await peers.until(() => {
    for (const [step, isDone] of Object.entries(steps)) if (isDone()) times[step] ??= since();
    return Object.keys(times).length === 3;
  }, 'not all agents came back and not all frameworks have offers');
  const took = since();
  const cpu = await second.ask('cpu');
  for (const scheduler of peers.schedulers) scheduler.reconcile();
  await peers.until(() => counts.reconciled === agents * tasks, 'not all tasks are known');
  print({ started, leads, ...times, took, reconciled: since(), cpu: cpu / 1000 });
  await second.stop();
  await rm(registry, { recursive: true });
}

const works = { launch, throughput, failover };
await works[work]();
await peers.stop();
process.exit();
