import { nuid, type StoredMsg, type Subscription as NatsSubscription } from 'nats';

import { ProcessError } from '../errors.ts';
import type { Future } from '../future/future.ts';
import type { LeaseRecord, LeaseStore } from '../lease/lease-store.ts';
import type { Subscription } from '../transport.ts';
import { checkToken, durable, type JetStreamOptions, ServerStream } from './server-stream.ts';

export interface JetStreamLeaseOptions extends JetStreamOptions {
  /** Name of the KV bucket, which is the lease's alone: letters, digits, `-` and `_`. */
  readonly bucket: string;
  /** The one key in it, of the same letters. */
  readonly key: string;
}

export interface JetStreamLease extends LeaseStore {
  /** Waits up to a second for what is under way. */
  close(): Future<void>;
}

/** Milliseconds between two looks at what the server may have said while it could not be heard. */
const lookAgain = 1000;

class BucketLease implements JetStreamLease {
  readonly #key: string;
  readonly #subject: string;
  /** Where the server tells of each write, once it is done. */
  readonly #news: string;
  readonly #stream: ServerStream;
  readonly #watches = new Set<LeaseWatch>();

  constructor(options: JetStreamLeaseOptions) {
    const bucket = checkToken('bucket', options.bucket);
    this.#key = checkToken('key', options.key);
    const subject = `$KV.${bucket}.${this.#key}`;
    const newsOf = (prefix: string): string => `${prefix}.@.lease.${bucket}.${this.#key}`;
    // As the client's own KV buckets are, so that its tools can look at it; but with one subject.
    this.#stream = new ServerStream(options, (prefix) => ({
      name: `KV_${bucket}`,
      what: 'lease',
      code: 'LEASE_UNAVAILABLE',
      timeout: '2s',
      demands: { ...durable, subjects: [subject] },
      wishes: {
        max_msgs_per_subject: 1,
        allow_rollup_hdrs: true,
        deny_delete: true,
        allow_direct: true,
        republish: { src: subject, dest: newsOf(prefix), headers_only: true },
      },
    }));
    this.#subject = subject;
    this.#news = newsOf(this.#stream.prefix);
  }

  created(): Future<number> {
    return this.#stream.operation(async () => Date.parse((await this.#stream.info()).created));
  }

  read(): Future<LeaseRecord> {
    return this.#stream.operation(async () => recordOf(await this.#newest()));
  }

  write(expected: number, value: Uint8Array | undefined): Future<number> {
    const given = value?.slice();
    return this.#stream.operation(() => this.#write(expected, given));
  }

  watch(changed: (record: LeaseRecord) => void): Subscription {
    const listen = async (heard: () => void): Promise<NatsSubscription> =>
      (await this.#stream.connection()).subscribe(this.#news, { callback: heard });
    const watch = new LeaseWatch(() => this.read(), listen, changed);
    this.#watches.add(watch);
    return {
      cancel: () => {
        this.#watches.delete(watch);
        watch.cancel();
      },
    };
  }

  close(): Future<void> {
    for (const watch of this.#watches) watch.cancel();
    return this.#stream.close();
  }

  async #write(expected: number, value: Uint8Array | undefined): Promise<number> {
    const fields = { 'Mezzo-Entry': nuid.next(), ...(value === undefined && { 'KV-Operation': 'DEL' }) };
    const data = value ?? new Uint8Array();
    const revision = await this.#stream.put(this.#subject, expected, fields, data, () => this.#newest());
    if (revision !== undefined) return revision;
    throw new ProcessError(
      'LEASE_LOST',
      `The lease '${this.#key}' is not at revision ${expected}: somebody else wrote`,
    );
  }

  #newest(): Promise<StoredMsg | undefined> {
    return this.#stream.message({ last_by_subj: this.#subject });
  }
}

/** Reads the lease whenever the server tells of a write and, since that may get lost, every second. */
class LeaseWatch implements Subscription {
  readonly #read: () => PromiseLike<LeaseRecord>;
  readonly #listen: (heard: () => void) => Promise<NatsSubscription>;
  readonly #changed: (record: LeaseRecord) => void;
  readonly #timer: NodeJS.Timeout;
  #news: NatsSubscription | undefined;
  #told = 0;
  #busy = false;
  /** Something was told since the present look began. */
  #again = false;
  #cancelled = false;

  constructor(
    read: () => PromiseLike<LeaseRecord>,
    listen: (heard: () => void) => Promise<NatsSubscription>,
    changed: (record: LeaseRecord) => void,
  ) {
    this.#read = read;
    this.#listen = listen;
    this.#changed = changed;
    this.#timer = setInterval(() => void this.#look(), lookAgain);
    void this.#look();
  }

  cancel(): void {
    this.#cancelled = true;
    clearInterval(this.#timer);
    this.#news?.unsubscribe();
  }

  async #look(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    do {
      this.#again = false;
      const record = await this.#now();
      if (record !== undefined) this.#tell(record);
    } while (this.#again);
    this.#busy = false;
  }

  /** Undefined if it cannot be had: the next look may find it. */
  async #now(): Promise<LeaseRecord | undefined> {
    try {
      await this.#follow();
      return await this.#read();
    } catch {
      return undefined;
    }
  }

  async #follow(): Promise<void> {
    if (this.#news !== undefined && !this.#news.isClosed()) return;
    const news = await this.#listen(() => void this.#look());
    this.#news = news;
    if (this.#cancelled) news.unsubscribe();
  }

  #tell(record: LeaseRecord): void {
    // Lower ones are told too: the bucket may have been made anew.
    if (this.#cancelled || record.revision === this.#told) return;
    this.#told = record.revision;
    this.#changed(record);
  }
}

function recordOf(message: StoredMsg | undefined): LeaseRecord {
  if (message === undefined) return { value: undefined, revision: 0 };
  const isGone = /^(DEL|PURGE)$/.test(message.header.get('KV-Operation'));
  return { value: isGone ? undefined : message.data, revision: message.seq };
}

/**
 * A lease in a KV bucket of NATS JetStream, which is made if it is missing. Whoever writes names the newest
 * revision, so of several candidates one succeeds. A watch hears at once of writes, and of what it missed within a second.
 *
 * It connects at the first operation. `timeout`: default 2 s.
 *
 * Throws TRANSPORT_OPTION_INVALID.
 */
export function jetStreamLease(options: JetStreamLeaseOptions): JetStreamLease {
  return new BucketLease(options);
}
