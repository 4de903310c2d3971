// node allocator.mjs WORK AGENTS FRAMEWORKS [ALLOCATOR] prints the figures of one piece of work on a cluster of that size.
import { Resources } from '@mezzo/protocol';
import { print, quantile } from '../measure.mjs';
import { Cluster, milliseconds, wholeAgent, wire } from './allocator-cluster.mjs';

const [work, ...given] = process.argv.slice(2);
const [agents, frameworks] = given.map(Number);
/** Its name; default: the default one. */
const allocator = given[2];

/** Once to warm up, then the best of so many, because whatever else the machine does can only slow a run down. */
async function repeated(times, run) {
  let best = Infinity;
  for (let time = 0; time <= times; time++) {
    const value = await run(time);
    if (time > 0) best = Math.min(best, value);
  }
  return best;
}

/** Frameworks, then agents, until all are offered. */
async function arrived(options) {
  const cluster = await Cluster.start(options);
  const took = await cluster.untilOffered(agents, () => {
    cluster.addFrameworks(frameworks);
    cluster.addAgents(agents);
  });
  return { cluster, took };
}

/** Microseconds for each offer to be given back. */
async function recovered(cluster, filters) {
  await cluster.quiet();
  const offers = cluster.take();
  let count = 0;
  const took = await cluster.taken(() => (count = cluster.recover(offers, filters)));
  if (count !== agents) throw new Error(`${count} offers were given back, expected ${agents}`);
  return (took * 1000) / count;
}

const works = {
  async runs() {
    await (await arrived()).cluster.stop();
    const { cluster, took: arrival } = await arrived();
    const busy = await repeated(5, async () => {
      await cluster.quiet();
      return cluster.run(0);
    });
    const recover = [];
    const full = await repeated(5, async () => {
      recover.push(await recovered(cluster, false));
      return cluster.run(agents);
    });
    const recoverFilter = await repeated(3, async () => {
      const each = await recovered(cluster, true);
      await cluster.untilOffered(agents, () => cluster.reviveAll());
      return each;
    });
    return { arrival, full, busy, recover: Math.min(...recover.slice(1)), recoverFilter };
  },

  async filtered() {
    const cluster = await Cluster.start();
    cluster.addAgents(agents);
    await cluster.served();
    await cluster.declineAll(frameworks);
    globalThis.gc();
    const filtered = await cluster.run(0, () => cluster.activateAll());
    const again = await repeated(3, async () => {
      await cluster.quiet();
      return cluster.run(0);
    });
    const revive = await cluster.untilOffered(agents, () => cluster.reviveAll());
    return { filtered, again, revive };
  },

  /** Single agents in a cluster whose others are all taken. */
  async event() {
    const { cluster } = await arrived();
    const added = [];
    const updated = [];
    const twice = wire(wholeAgent.replace('cpus:24', 'cpus:48'));
    for (let event = 0; event < 600; event++) {
      const name = `single-${event}`;
      const agentId = await single(added, () => cluster.addAgent(name));
      await single(updated, () =>
        cluster.tell('UpdateAgent', { agentId, agent: cluster.agentInfo(name, twice), total: twice }),
      );
      cluster.tell('RemoveAgent', { agentId });
      await cluster.served();
      cluster.take();
    }
    // The first ones are for the compiler.
    const warm = (took) => Float64Array.from(took.slice(100));
    return {
      event: quantile(warm(added), 0.5),
      eventP99: quantile(warm(added), 0.99),
      eventUpdate: quantile(warm(updated), 0.5),
    };

    async function single(measured, tell) {
      const { master } = cluster;
      const target = master.offers + 1;
      const start = process.hrtime.bigint();
      const result = tell();
      await cluster.offered(target);
      measured.push(milliseconds(Number(start), master.last));
      return result;
    }
  },

  /** All agents change at once: more, then as before; what is more is offered, what is less was on offer. */
  async update() {
    const { cluster } = await arrived();
    const totals = [48, 24].map((cpus) => wholeAgent.replace('cpus:24', `cpus:${cpus}`));
    const changeAll = (total) => {
      for (const agentId of cluster.agents) {
        const resources = wire(total);
        cluster.tell('UpdateAgent', { agentId, agent: cluster.agentInfo(agentId, resources), total: resources });
      }
    };
    cluster.take();
    const shrink = [];
    const grow = await repeated(3, async () => {
      const took = await cluster.untilOffered(agents, () => changeAll(totals[0]));
      cluster.recover(cluster.take(), false);
      shrink.push(await cluster.taken(() => changeAll(totals[1])));
      await cluster.quiet();
      cluster.take();
      return took;
    });
    return { grow: (grow * 1000) / agents, shrink: (Math.min(...shrink.slice(1)) * 1000) / agents };
  },

  /** A full run while a part of the frameworks does not want anything. */
  async suppress() {
    const { cluster } = await arrived();
    const result = {};
    for (const part of [0, 50, 99]) {
      const silent = Math.floor((frameworks * part) / 100);
      let took = 0;
      result[`suppress${part}`] = await repeated(3, async () => {
        await cluster.quiet();
        took = await cluster.taken(() => {
          for (const { frameworkId } of cluster.frameworks.slice(0, silent))
            cluster.tell('SuppressOffers', { frameworkId, roles: [] });
        });
        cluster.recover(cluster.take(), false);
        await cluster.served();
        const last = cluster.frameworks.at(-1);
        return cluster.run(agents, () => cluster.tell('ActivateFramework', { frameworkId: last.frameworkId }));
      });
      result[`suppressing${part}`] = took;
    }
    return result;
  },

  /** A full run where none, all or half of the agents have a shared persistent volume, and the others one of their own. */
  async volumes() {
    const result = {};
    for (const [kind, part] of [
      ['regular', 0],
      ['shared', 1],
      ['mixed', 0.5],
    ]) {
      const cluster = await Cluster.start();
      cluster.addFrameworks(frameworks, { capabilities: ['SHARED_RESOURCES'] });
      for (let index = 0; index < agents; index++) {
        const persistence = { id: `volume-${index}` };
        const volume = { name: 'disk', type: 'SCALAR', scalar: 1024, disk: { persistence } };
        const total = [...wire(wholeAgent), index < part * agents ? { ...volume, shared: true } : volume];
        cluster.addAgent(`agent-${index}`, total);
      }
      await cluster.offered(agents);
      await cluster.quiet();
      result[kind] = await repeated(3, async () => {
        cluster.recover(cluster.take(), false);
        await cluster.served();
        return cluster.run(agents);
      });
      await cluster.stop();
    }
    return result;
  },

  /**
   * All frameworks in one role, and half of each agent reserved to it, with labels that no other agent has: a full run, and
   * one after each offer was declined with a filter, which leaves the agent to any other framework.
   */
  async labels() {
    const cluster = await Cluster.start();
    const role = 'labelled';
    cluster.addFrameworks(frameworks, { roles: [role] });
    const half = Resources.parse('cpus:12;mem:49152;disk:524288');
    for (let index = 0; index < agents; index++) {
      const labels = [{ key: 'of', value: `agent-${index}` }];
      const reservations = [{ type: 'DYNAMIC', role, principal: 'ops', labels }];
      const reserved = wire(half).map((one) => ({ ...one, reservations }));
      cluster.addAgent(`agent-${index}`, [...wire(half), ...wire('ports:[31000-32000]'), ...reserved]);
    }
    await cluster.offered(agents);
    await cluster.quiet();
    const again = (filters) => async () => {
      const count = cluster.recover(cluster.take(), filters);
      if (count !== agents) throw new Error(`${count} offers were given back, expected ${agents}`);
      await cluster.served();
      return cluster.run(agents);
    };
    return { full: await repeated(3, again(false)), declined: await repeated(3, again(true)) };
  },

  /** A snapshot of all metrics while everything is on offer. */
  async metrics() {
    const { cluster } = await arrived();
    const { metrics } = cluster.runtime;
    return {
      value: await repeated(20, async () => {
        const start = process.hrtime.bigint();
        const snapshot = await metrics.snapshot();
        const took = milliseconds(Number(start), Number(process.hrtime.bigint()));
        for (const kind of ['total', 'offered_or_allocated']) {
          const cpus = snapshot.get(`allocator/mesos/resources/cpus/${kind}`);
          if (cpus !== 24 * agents) throw new Error(`${kind} cpus are ${cpus}, expected ${24 * agents}`);
        }
        return took;
      }),
    };
  },

  /** Revives of all, ten times over, in one go: they are to be served by few runs. */
  async backlog() {
    const { cluster } = await arrived();
    const backlog = await repeated(3, async () => {
      await cluster.quiet();
      const before = cluster.runs();
      const took = await cluster.taken(() => {
        for (let time = 0; time < 10; time++) cluster.reviveAll();
      });
      await cluster.quiet();
      works.backlog.runs = cluster.runs() - before;
      return took;
    });
    return { backlog };
  },

  /** Small and large quotas, AGENTS and FRAMEWORKS being how many small and large ones: one run satisfies all. */
  async quota() {
    const [small, large] = [agents, frameworks];
    const cluster = await Cluster.start({ allocator });
    const roles = [];
    const add = (count, name, cpus, megabytes) => {
      for (let made = 0; made < count; made++) {
        const quantities = { cpus, mem: megabytes, disk: megabytes };
        roles.push({ role: `${name}-${made}`, cpus });
        cluster.tell('UpdateQuota', { role: `${name}-${made}`, quota: { guarantees: quantities, limits: quantities } });
      }
    };
    add(small, 'small', 1, 1024);
    add(large, 'large', 4, 4096);
    for (const { role } of roles) {
      cluster.frameworks.push({ frameworkId: `of-${role}`, role });
      cluster.addFramework({ frameworkId: `of-${role}`, roles: [role], active: true });
    }
    const machines = small / 5 + large * 5;
    const made = [];
    const round = async () => {
      // Nothing is offered while all machines are away from the whitelist.
      cluster.tell('UpdateWhitelist', { hostnames: [] });
      if (made.length === 0)
        for (let index = 0; index < machines; index++)
          made.push(cluster.addAgent(`agent-${index}`, 'cpus:2;mem:2048;disk:2048'));
      await cluster.quiet();
      cluster.tell('UpdateWhitelist', {});
      const before = await cluster.runs();
      const start = process.hrtime.bigint();
      cluster.trigger();
      while ((await cluster.runs()) === before) await new Promise((resolve) => setImmediate(resolve));
      await cluster.served();
      const took = milliseconds(Number(start), cluster.master.last);
      await cluster.quiet();
      const offers = cluster.take();
      checkQuota(offers, roles);
      cluster.recover(offers, false);
      await cluster.served();
      return took;
    };
    return { value: await repeated(machines > 1000 ? 1 : 3, round) };
  },

  /** Two whole agents for each of AGENTS roles of two frameworks, with and without a quota of that. */
  async nonquota() {
    const roles = agents;
    const result = {};
    for (const kind of ['without', 'with']) {
      const cluster = await Cluster.start({ allocator });
      for (let index = 0; index < roles; index++) {
        const quantities = { cpus: 4, mem: 4096, disk: 4096 };
        if (kind === 'with')
          cluster.tell('UpdateQuota', { role: `role-${index}`, quota: { guarantees: quantities, limits: quantities } });
        for (const which of ['a', 'b']) {
          const frameworkId = `framework-${index}-${which}`;
          cluster.frameworks.push({ frameworkId, role: `role-${index}` });
          cluster.addFramework({ frameworkId, roles: [`role-${index}`], active: true });
        }
      }
      await cluster.untilOffered(2 * roles, () => cluster.addAgents(2 * roles, 'cpus:2;mem:2048;disk:2048'));
      result[kind] = await repeated(3, async () => {
        cluster.recover(cluster.take(), false);
        await cluster.served();
        return cluster.run(2 * roles);
      });
      await cluster.stop();
    }
    return result;
  },
};

/** Each role has been offered exactly its quota. */
function checkQuota(allocated, roles) {
  const cpus = new Map();
  for (const { allocations } of allocated)
    for (const { role, resources } of allocations) {
      const amount = resources.find(({ name }) => name === 'cpus')?.scalar ?? 0;
      cpus.set(role, (cpus.get(role) ?? 0) + amount);
    }
  const wrong = roles.filter((one) => cpus.get(one.role) !== one.cpus);
  if (wrong.length > 0)
    throw new Error(
      `${wrong.length} of ${roles.length} roles were not offered their quota, such as ${wrong[0].role}: ${cpus.get(wrong[0].role) ?? 0} cpus of ${wrong[0].cpus}`,
    );
}

if (works[work] === undefined) throw new Error(`There is no work '${work}'`);
print(await works[work]());
process.exit(0);
