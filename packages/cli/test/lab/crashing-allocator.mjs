import { Process } from '@mezzo/process';
import { allocatorMessages as messages } from '@mezzo/protocol';

/** Crashes over the first agent. */
class CrashingAllocator extends Process {
  constructor() {
    super('mine');
  }

  initialize() {
    this.install(messages.InitializeAllocator, (_, from) => this.send(from, messages.AllocatorInitialized, {}));
    this.install(messages.AddAgent, () => {
      throw new TypeError('no agents, please');
    });
  }
}

export default () => new CrashingAllocator();
