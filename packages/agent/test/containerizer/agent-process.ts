// An agent in an OS process of its own, with a master that gives it one task: `agent-process.ts WORK_DIRECTORY COMMAND`.
// It runs until it is killed.

import { startAgent } from '@mezzo/agent';
import { Network, nodePlatform, Runtime } from '@mezzo/process';
import { eventually } from '../scratch.ts';
import { FakeMaster, taskOf } from '../fake-master.ts';

const [workDirectory = '', command = ''] = process.argv.slice(2);
const network = new Network({ clock: nodePlatform().clock });
const masterNode = await Runtime.start({ name: 'master', transport: network.transport() });
const master = new FakeMaster();
masterNode.spawn(master);
const runtime = await Runtime.start({ name: 'agent-1', transport: network.transport() });
await startAgent(runtime, { cluster: 'test', workDirectory, resources: 'cpus:4', registrationBackoffFactor: '10ms' });
await eventually('registration', () => (master.registrations.length > 0 ? true : undefined));
master.run(taskOf('endless', command));
