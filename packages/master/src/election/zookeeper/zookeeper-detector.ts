import { type Duration, toMilliseconds } from '@mezzo/process';
import { Detector } from '@mezzo/protocol';
import { leaderIn } from './master-info.ts';
import { GroupLost, GroupSeen, ZooKeeperGroup } from './zookeeper-group.ts';
import { parseZooKeeperUrl, type ZooKeeperUrl } from './zookeeper-url.ts';

export interface ZooKeeperDetectorOptions {
  /** `zk://user:password@host1:2181,host2:2181/path`. */
  readonly url: string;
  /** Default `detector`. */
  readonly id?: string;
  /** Whoever does not hear from ZooKeeper for so long knows no leader. Default 10 s (Mesos's zk_session_timeout). */
  readonly sessionTimeout?: Duration;
}

/** Finds the leading master by what masters write into ZooKeeper. */
export class ZooKeeperDetector extends Detector {
  readonly #url: ZooKeeperUrl;
  readonly #sessionTimeout: number;

  /** Throws RangeError for an invalid URL, DURATION_INVALID. */
  constructor(options: ZooKeeperDetectorOptions) {
    super(options.id ?? 'detector');
    this.#url = parseZooKeeperUrl(options.url);
    this.#sessionTimeout = toMilliseconds(options.sessionTimeout ?? '10s');
    this.install(GroupLost, () => this.lose());
    this.install(GroupSeen, ({ data }) => {
      const leader = data && leaderIn(data);
      if (leader === undefined) this.lose();
      else this.follow(leader);
    });
  }

  protected override initialize(): void {
    const [url, sessionTimeout, owner] = [this.#url, this.#sessionTimeout, this.self];
    this.runtime.spawn(new ZooKeeperGroup({ url, sessionTimeout, owner }));
  }

  /** The group looks by itself. */
  protected override sought(): void {}
}
