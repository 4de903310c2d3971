import { Process } from '@mezzo/process';
import { allocatorMessages } from '@mezzo/protocol';

/** Keeps everything to itself. */
class IdleAllocator extends Process {
  constructor() {
    super('allocator');
    const { InitializeAllocator, AllocatorInitialized, ...others } = allocatorMessages;
    for (const kind of Object.values(others)) this.install(kind, () => {});
    this.install(InitializeAllocator, (_body, from) => this.send(from, AllocatorInitialized, {}));
  }
}

export default () => new IdleAllocator();
