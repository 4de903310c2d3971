import { Announcer } from './announcer.ts';
import { MasterReady } from './contender-messages.ts';

/** The election of a cluster with one master, which has won from the start: it is announced once it says that it is ready, and as long as it lives. */
export class StandaloneContender extends Announcer {
  constructor(options: { readonly cluster: string }) {
    super('contender', options.cluster);
    this.install(MasterReady, ({ term }, from) => {
      this.link(from);
      this.announce(from, term);
    });
  }

  protected override exited(): void {
    this.terminate();
  }
}
