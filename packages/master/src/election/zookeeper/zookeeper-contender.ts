import { type Duration, type LocalPID, type PID, toMilliseconds } from '@mezzo/process';
import { compareTerms, type Term } from '@mezzo/protocol';
import { Contender } from '../contender.ts';
import { encodeMember, type MasterInfo } from './master-info.ts';
import { GroupLost, GroupSeen, Leave, Publish, ZooKeeperGroup } from './zookeeper-group.ts';
import { parseZooKeeperUrl, type ZooKeeperUrl } from './zookeeper-url.ts';

export interface ZooKeeperContenderOptions {
  readonly cluster: string;
  /** `zk://user:password@host1:2181,host2:2181/path`. */
  readonly url: string;
  /** What Mesos's tools are told of this master. */
  readonly info: MasterInfo;
  /** Who hears Elected and Deposed, and says Leads; when it ends, so does the contender. */
  readonly owner: PID;
  /**
   * ZooKeeper drops whoever it did not hear for so long. Default 10 s (Mesos's zk_session_timeout); its servers allow 2 to 20
   * of their ticks.
   */
  readonly sessionTimeout?: Duration;
}

/**
 * Contends for leadership in ZooKeeper, beside Mesos's own masters if need be. The term is the time when the parent node was
 * made, and the transaction that made the leader's node. What a leader was told of its session holds for the session's
 * timeout from when it asked, by its own clock.
 */
export class ZooKeeperContender extends Contender {
  readonly #url: ZooKeeperUrl;
  readonly #info: MasterInfo;
  readonly #sessionTimeout: number;
  #group: LocalPID<ZooKeeperGroup> | undefined;
  /** Of the last reign that is over. */
  #spent: Term | undefined;
  /** Milliseconds that it stays away after the reign of now. */
  #pause = 0;

  /** Throws RangeError for an invalid URL, DURATION_INVALID. */
  constructor(options: ZooKeeperContenderOptions) {
    super(options.cluster, options.owner);
    this.#url = parseZooKeeperUrl(options.url);
    this.#info = options.info;
    this.#sessionTimeout = toMilliseconds(options.sessionTimeout ?? '10s');
    this.install(GroupSeen, ({ term, until }) => this.#seen(term, until));
    this.install(GroupLost, ({ why }) => super.lose(why));
  }

  protected override initialize(): void {
    super.initialize();
    const join = encodeMember(this.#info, undefined);
    const [url, sessionTimeout, owner] = [this.#url, this.#sessionTimeout, this.self];
    this.#group = this.runtime.spawn(new ZooKeeperGroup({ url, sessionTimeout, owner, join }));
  }

  protected override expired(): void {}

  protected override resign(): void {
    // Others come first: something may be wrong here.
    this.#pause = this.#sessionTimeout;
  }

  /** Its node must go with the reign: it stands for a term, and no term is for two reigns. */
  protected override lose(reason: string): void {
    if (this.term === undefined) return;
    this.#spent = this.term;
    super.lose(reason);
    if (this.#group !== undefined) this.send(this.#group, Leave, { pause: this.#pause });
    this.#pause = 0;
  }

  protected override named(master: PID): void {
    if (this.#group === undefined || this.term === undefined) return;
    const leader = { cluster: this.cluster, address: master.address, term: this.term, url: this.runtime.url ?? '' };
    this.send(this.#group, Publish, { data: encodeMember(this.#info, leader) });
  }

  #seen(term: Term | undefined, until: number): void {
    this.holds();
    if (term === undefined) return this.lose('another node in ZooKeeper comes first');
    const isSpent = this.#spent !== undefined && compareTerms(term, this.#spent) === 0;
    if (!isSpent && this.clock.now() < until) this.reign(term, until);
  }
}
