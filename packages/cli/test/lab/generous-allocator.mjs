import { Process } from '@mezzo/process';
import { allocatorMessages as messages, Resources } from '@mezzo/protocol';

/** Gives everybody more of each agent than there is, every second. */
class GenerousAllocator extends Process {
  constructor() {
    super('allocator');
  }

  initialize() {
    const [agents, frameworks] = [[], []];
    this.install(messages.InitializeAllocator, (_, from) => {
      this.send(from, messages.AllocatorInitialized, {});
      const give = () => {
        for (const {
          frameworkId,
          roles: [role],
        } of frameworks) {
          const resources = [...Resources.parse('cpus:1000').allocate(role)];
          const allocations = agents.map((agentId) => ({ role, agentId, resources }));
          if (allocations.length > 0) this.send(from, messages.Allocated, { frameworkId, allocations });
        }
        this.delay('1secs', give);
      };
      give();
    });
    this.install(messages.AddFramework, (framework) => frameworks.push(framework));
    this.install(messages.AddAgent, ({ agentId }) => agents.includes(agentId) || agents.push(agentId));
  }
}

export default () => new GenerousAllocator();
