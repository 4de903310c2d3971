// node allocator-memory.mjs agents|filters|sparse AGENTS FRAMEWORKS prints the bytes that each agent keeps while it is on
// offer; that each filter keeps if all frameworks decline all agents; or if each agent is declined by one of them.
import { heap, print } from '../measure.mjs';
import { Cluster } from './allocator-cluster.mjs';

const [work, ...sizes] = process.argv.slice(2);
const [agents, frameworks] = sizes.map(Number);

const works = {
  async agents(cluster) {
    cluster.addFrameworks(frameworks);
    await cluster.untilOffered(agents / 10, () => cluster.addAgents(agents / 10));
    return each(cluster, agents, () => cluster.untilOffered(agents, () => cluster.addAgents(agents)));
  },
  async filters(cluster) {
    cluster.addAgents(agents);
    await cluster.served();
    // What is made once, such as tables that grow with the first framework.
    await cluster.declineAll(1);
    return each(cluster, agents * frameworks, () => cluster.declineAll(frameworks));
  },
  async sparse(cluster) {
    cluster.addFrameworks(frameworks);
    await cluster.untilOffered(agents, () => cluster.addAgents(agents));
    cluster.recover(cluster.take(), false);
    await cluster.served();
    await cluster.run(agents);
    cluster.recover(cluster.take(), false);
    await cluster.served();
    await cluster.run(agents);
    const offers = cluster.take();
    // Given back without filters first, so that only the filters make the difference.
    cluster.recover(offers, false);
    await cluster.served();
    const before = bytes();
    await cluster.run(agents);
    cluster.recover(cluster.take(), true);
    await cluster.served();
    return (bytes() - before) / agents;
  },
};

async function each(cluster, count, make) {
  cluster.take();
  const before = bytes();
  await make();
  cluster.take();
  await cluster.served();
  return (bytes() - before) / count;
}

function bytes() {
  return heap() + process.memoryUsage().external;
}

print({ value: await works[work](await Cluster.start()) });
process.exit(0);
