import { pino, destination } from 'pino';
import { messageOf, type PID, Runtime, type RuntimeOptions } from '@mezzo/process';
import { httpServer } from '@mezzo/process/http';
import { nats } from '@mezzo/process/nats';
import { prometheusText } from '@mezzo/process/metrics';

/** What every node needs to know, however it was told. */
export interface NodeProcessOptions {
  readonly name: string;
  readonly nats: string;
  readonly natsSeed?: string;
  readonly prefix?: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly logLevel: string;
  /** Ends when standard input ends, so that nothing outlives the OS process that started it. */
  readonly exitWithParent?: boolean;
  /** Passed to the runtime. */
  readonly linkTimeout?: RuntimeOptions['linkTimeout'];
  readonly heartbeatInterval?: RuntimeOptions['heartbeatInterval'];
}

/** What lives on a node. */
export interface Residents {
  /** Without these the node is of no use: if one of them ends, so does the OS process. */
  readonly essential: readonly PID[];
  /** What is done in good order before the runtime stops. */
  readonly farewell?: () => PromiseLike<unknown>;
}

/**
 * Makes this OS process one node: connects, lets `start` spawn what lives here, tells the parent that it is ready by one
 * JSON line on standard output, and ends orderly at SIGINT, SIGTERM or when its parent is gone.
 */
export async function runNodeProcess(
  options: NodeProcessOptions,
  start: (runtime: Runtime) => Promise<Residents>,
): Promise<void> {
  const log = pino({ level: options.logLevel, base: { node: options.name } }, destination({ dest: 2, sync: true }));
  const runtime = await Runtime.start({
    name: options.name,
    log,
    transport: nats({
      servers: options.nats,
      ...(options.natsSeed === undefined ? {} : { nkeySeedFile: options.natsSeed }),
      ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
    }),
    http: httpServer({ port: options.port, metrics: { prometheus: prometheusText() } }),
    ...(options.linkTimeout === undefined ? {} : { linkTimeout: options.linkTimeout }),
    ...(options.heartbeatInterval === undefined ? {} : { heartbeatInterval: options.heartbeatInterval }),
  });
  let residents: Residents;
  try {
    residents = await start(runtime);
  } catch (error) {
    await runtime.stop();
    throw error;
  }
  let stopping = false;
  for (const pid of residents.essential) {
    runtime.wait(pid).onReady(() => {
      if (!stopping) failWith(new Error(`${pid.toString()} has ended; the log says why`));
    });
  }
  const ended = new Promise<void>((resolve) => {
    const stop = (): void => {
      // Asked twice, it goes at once.
      if (stopping) process.exit(1);
      stopping = true;
      void farewellAndStop(runtime, residents).finally(resolve);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    if (options.exitWithParent === true) process.stdin.on('end', stop).on('error', stop).resume();
  });
  process.stdout.write(`${JSON.stringify({ ready: { name: options.name, pid: process.pid, url: runtime.url } })}\n`);
  await ended;
  process.exit(0);
}

async function farewellAndStop(runtime: Runtime, { farewell }: Residents): Promise<void> {
  try {
    await farewell?.();
  } catch (error) {
    runtime.log.error({ error: messageOf(error) }, 'could not end in good order');
  }
  await runtime.stop();
}

/** The one line that a failed command leaves. */
export function failWith(error: unknown): never {
  process.stderr.write(`mezzo: ${messageOf(error)}\n`);
  process.exit(1);
}
