import {
  context,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import {
  dispatch,
  type Future,
  type LocalPID,
  message,
  type PID,
  Process,
  request,
  Runtime,
  streamRequest,
  type Tracing,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { openTelemetry } from '@mezzo/process/tracing';

import { traceContext } from '../../src/opentelemetry/trace-context.ts';
import { decodeMeta, encodeMeta } from '../../src/node/wire-meta.ts';
import { checked } from '../transport/processes.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number';
const Note = message<number>('note', checked(isNumber));
const Double = request<number, number>('double', checked(isNumber), checked(isNumber));
const Items = streamRequest<number, number>('items', checked(isNumber), checked(isNumber));

/** Does with notes what its test gives it to do. */
class Actor extends Process {
  readonly contexts: (string | undefined)[] = [];
  act: (body: number) => unknown = () => undefined;

  protected override initialize(): void {
    this.install(Note, (body) => {
      this.contexts.push(trace.getSpanContext(context.active())?.spanId);
      return this.act(body);
    });
    this.answer(Double, (body) => body * 2);
    this.produce(Items, function* (count) {
      for (let item = 0; item < count; item++) yield item;
    });
  }
  tells(pid: PID, body = 1): void {
    this.send(pid, Note, body);
  }
  asks(pid: PID): Future<number> {
    return this.ask(pid, Double, 4);
  }
  later(milliseconds: number, act: () => void): void {
    this.delay(milliseconds, act);
  }
  method(): void {}
}

describe('openTelemetry', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test');
  const tracing = openTelemetry({ tracer });
  const errors: string[] = [];
  let world: Simulation;
  let node: Runtime;
  let other: Runtime;

  before(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  after(() => {
    context.disable();
  });

  beforeEach(async () => {
    exporter.reset();
    errors.length = 0;
    world = new Simulation({ latency: [1, 5] });
    const options = { tracing, onError: (error: unknown) => void errors.push(String(error)) };
    node = await world.start('node', options);
    other = await world.start('other', options);
  });

  afterEach(async () => {
    await world.stop();
  });

  const spawn = (id: string, at = node): { actor: Actor; pid: LocalPID<Actor> } => {
    const actor = new Actor(id);
    return { actor, pid: at.spawn(actor) };
  };
  /** Does something within a span of its own. */
  const within = (act: () => void): Span => {
    const span = tracer.startSpan('root');
    context.with(trace.setSpan(ROOT_CONTEXT, span), act);
    span.end();
    return span;
  };
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans().filter(({ name }) => name !== 'root');
  const named = (name: string): ReadableSpan => {
    const found = spans().filter((span) => span.name === name);
    const [span] = found;
    if (span === undefined || found.length > 1)
      throw new Error(
        `${found.length} spans '${name}' of ${spans()
          .map((one) => one.name)
          .join()}`,
      );
    return span;
  };
  const childOf = (child: ReadableSpan, parent: { spanContext(): { spanId: string; traceId: string } }): void => {
    expect(child.parentSpanContext?.spanId).to.equal(parent.spanContext().spanId);
    expect(child.spanContext().traceId).to.equal(parent.spanContext().traceId);
  };

  it('makes a span of what is served in a context that came with it', async () => {
    const { pid } = spawn('actor');
    await world.advance('1s');
    const root = within(() => node.send(pid, Note, 1));
    await world.settle();
    const span = named('note actor');
    childOf(span, root);
    expect(span.kind).to.equal(SpanKind.CONSUMER);
    expect(span.attributes).to.deep.equal({
      'messaging.system': 'mezzo',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'message',
      'messaging.destination.name': 'actor@node',
    });
    expect(span.startTime).to.deep.equal([world.clock.now() / 1000, 0]);
    expect(span.status.code).to.equal(SpanStatusCode.UNSET);
    expect(errors, 'the tripwire has nothing to say').to.deep.equal([]);
  });

  it('links what a handler sends, asks and dispatches to the span of the handler', async () => {
    const [a, b] = [spawn('a'), spawn('b')];
    let answer: Future<number> | undefined;
    a.actor.act = () => {
      a.actor.tells(b.pid);
      answer = a.actor.asks(b.pid);
      void node.dispatch(b.pid, 'method');
      void b.pid.ask.method();
      b.pid.tell.method();
      void dispatch(b.pid, (process) => process.method());
    };
    const root = within(() => node.send(a.pid, Note, 1));
    await world.settle();
    expect(answer?.get()).to.equal(8);
    childOf(named('note a'), root);
    for (const name of ['note b', 'double b', 'dispatch b']) childOf(named(name), named('note a'));
    const methods = spans().filter(({ name }) => name === 'method b');
    expect(methods).to.have.length(3);
    for (const method of methods) childOf(method, named('note a'));
    expect(named('note b').attributes['mezzo.sender']).to.equal('a@node');
  });

  it('carries the context between nodes, with its flags and state', async () => {
    const [a, b] = [spawn('a'), spawn('b', other)];
    a.actor.act = () => a.actor.tells(node.pid('b@other'));
    const parent = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: TraceFlags.SAMPLED,
      isRemote: true,
    };
    context.with(trace.setSpanContext(ROOT_CONTEXT, parent), () => node.send(a.pid, Note, 1));
    await world.advance('1s');
    expect(named('note a').parentSpanContext?.spanId).to.equal(parent.spanId);
    childOf(named('note b'), named('note a'));
    expect(named('note b').parentSpanContext?.isRemote).to.equal(true);
    expect(named('note b').spanContext().traceId).to.equal(parent.traceId);
    expect(b.actor.contexts).to.deep.equal([named('note b').spanContext().spanId]);
    expect(errors).to.deep.equal([]);
  });

  it('carries it with questions across nodes, also to one that is not ready yet, and no answer is a span', async () => {
    const a = spawn('a');
    class Slow extends Actor {
      protected override async initialize(): Promise<void> {
        await Promise.resolve();
        super.initialize();
      }
    }
    let answer: Future<number> | undefined;
    a.actor.act = () => {
      answer = a.actor.asks(node.pid('slow@other'));
    };
    const root = within(() => node.send(a.pid, Note, 1));
    other.spawn(new Slow('slow'));
    await world.advance('1s');
    expect(answer?.get()).to.equal(8);
    childOf(named('note a'), root);
    expect(spans()).to.have.length(2);
    const second = spans().find(({ name }) => name.endsWith('slow'));
    if (second === undefined) throw new Error('no span at the other node');
    childOf(second, named('note a'));
  });

  it('lets an async handler keep its span until it settles, also for what it sends after it waited', async () => {
    const [a, b] = [spawn('a'), spawn('b', other)];
    let go = (): void => undefined;
    a.actor.act = async () => {
      await new Promise<void>((resolve) => (go = resolve));
      a.actor.tells(node.pid('b@other'));
    };
    const root = within(() => node.send(a.pid, Note, 1));
    await world.advance('3s');
    expect(spans()).to.deep.equal([]);
    go();
    await world.advance('1s');
    childOf(named('note a'), root);
    childOf(named('note b'), named('note a'));
    expect(named('note a').duration).to.deep.equal([3, 0]);
    expect(b.actor.contexts).to.have.length(1);
  });

  for (const [how, act] of [
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['rejects', () => Promise.reject(new Error('boom'))],
  ] as const) {
    it(`records the exception of a handler that ${how}`, async () => {
      const { actor, pid } = spawn('actor');
      actor.act = act;
      within(() => node.send(pid, Note, 1));
      await world.settle();
      const span = named('note actor');
      expect(span.status).to.deep.equal({ code: SpanStatusCode.ERROR, message: 'boom' });
      expect(span.events.map(({ name, attributes }) => [name, attributes?.['exception.message']])).to.deep.equal([
        ['exception', 'boom'],
      ]);
      expect(errors).to.deep.equal(['Error: boom']);
    });
  }

  it('ends the span of a handler whose process was terminated meanwhile', async () => {
    const { actor, pid } = spawn('actor');
    actor.act = () => new Promise(() => undefined);
    within(() => node.send(pid, Note, 1));
    await world.advance('2s');
    node.terminate(pid);
    expect(named('note actor').duration).to.deep.equal([2, 0]);
    expect(named('note actor').status.code).to.equal(SpanStatusCode.UNSET);
  });

  it('makes nothing of what is sent while no span is active', async () => {
    const [a, b] = [spawn('a'), spawn('b', other)];
    const metas: unknown[] = [];
    other.inspect((inspected) => void (inspected.kind === 'begins' && metas.push(inspected.event.meta?.trace)));
    a.actor.act = () => a.actor.tells(node.pid('b@other'));
    node.send(a.pid, Note, 1);
    await world.advance('1s');
    expect(b.actor.contexts).to.deep.equal([undefined]);
    expect(metas).to.deep.equal([undefined]);
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });

  it('does not let who wakes the loop, or arms the first timer, become the parent of what others do', async () => {
    const [a, b, c] = [spawn('a'), spawn('b'), spawn('c')];
    b.actor.act = (body) => {
      b.actor.tells(c.pid, body);
      if (body === 1) b.actor.later(1000, () => b.actor.tells(c.pid, 9));
    };
    a.actor.act = () => a.actor.later(1000, () => undefined);
    await world.settle();
    within(() => {
      node.send(a.pid, Note, 1);
      // This one has no part in it, though it is served in the very same run.
      context.with(ROOT_CONTEXT, () => node.send(b.pid, Note, 1));
    });
    await world.advance('5s');
    expect(b.actor.contexts).to.deep.equal([undefined]);
    expect(c.actor.contexts).to.deep.equal([undefined, undefined]);
    expect(spans().map(({ name }) => name)).to.deep.equal(['note a']);
  });

  it('lets timers run without the context of whoever armed them, in virtual and in real time', async () => {
    await using real = await Runtime.start({ name: 'real', tracing });
    const [actives, armed] = [[] as unknown[], [] as Promise<void>[]];
    within(() => {
      for (const { clock } of [node, real]) {
        armed.push(
          new Promise((resolve) => {
            clock.timer(1, () => {
              actives.push(trace.getSpan(context.active()));
              resolve();
            });
          }),
        );
      }
    });
    await world.advance('1s');
    await Promise.all(armed);
    expect(actives).to.deep.equal([undefined, undefined]);
  });

  it('the same holds in real time', async () => {
    await using real = await Runtime.start({ name: 'real', tracing });
    const [a, b, c] = [spawn('a', real), spawn('b', real), spawn('c', real)];
    let done = (): void => undefined;
    const seen = new Promise<void>((resolve) => (done = resolve));
    a.actor.act = () => a.actor.later(5, () => undefined);
    b.actor.act = () => b.actor.later(5, () => b.actor.tells(c.pid));
    c.actor.act = () => done();
    within(() => {
      real.send(a.pid, Note, 1);
      context.with(ROOT_CONTEXT, () => real.send(b.pid, Note, 1));
    });
    await seen;
    expect([b.actor.contexts, c.actor.contexts]).to.deep.equal([[undefined], [undefined]]);
    const { startTime } = named('note a');
    expect(startTime[0]).to.be.closeTo(real.clock.now() / 1000, 60);
  });

  it('goes with what opens a stream, and not with its items', async () => {
    const b = spawn('b', other);
    const items: number[] = [];
    let reading: Promise<void> | undefined;
    within(() => {
      reading = (async () => {
        for await (const item of node.stream(b.pid, Items, 3)) items.push(item);
      })();
    });
    for (let round = 0; round < 50 && items.length < 3; round++) await world.advance('100ms');
    await reading;
    expect(items).to.deep.equal([0, 1, 2]);
    expect(named('items b').kind).to.equal(SpanKind.CONSUMER);
  });

  it('is nothing to a node that does not trace', async () => {
    const plain = await world.start('plain');
    const [a, b] = [spawn('a'), spawn('b', plain)];
    a.actor.act = () => a.actor.tells(node.pid('b@plain'));
    within(() => node.send(a.pid, Note, 1));
    await world.advance('1s');
    expect(b.actor.contexts).to.deep.equal([undefined]);
    expect(spans().map(({ name }) => name)).to.deep.equal(['note a']);
  });

  it('that throws is reported, and what was to be traced is served all the same, once', async () => {
    const fault = (): never => {
      throw new Error('tracer');
    };
    const broken: readonly Partial<Tracing>[] = [
      { begin: fault },
      { begin: () => ({ run: fault, end: () => undefined }) },
      { begin: () => ({ run: (serve: () => void) => serve(), end: fault }) },
      { begin: () => ({ run: (serve: () => void) => (serve(), fault()), end: () => undefined }) },
    ];
    for (const [index, parts] of broken.entries()) {
      const faulty = await world.start(`faulty${index}`, {
        tracing: { ...tracing, ...parts },
        onError: (error) => errors.push(String(error)),
      });
      const { actor, pid } = spawn('actor', faulty);
      within(() => faulty.send(pid, Note, 1));
      await world.settle();
      expect(actor.contexts).to.have.length(1);
      expect(faulty.processes).to.deep.equal(['actor']);
    }
    expect(errors).to.deep.equal(broken.map(() => 'Error: tracer'));
    const faulty = { ...tracing, inject: fault, extract: fault };
    expect(encodeMeta({ trace: ROOT_CONTEXT }, faulty)).to.equal(undefined);
    expect(decodeMeta([[], { traceparent: 'x' }], faulty)).to.equal(undefined);
  });

  it('takes the tracer of the global provider, where none is given', async () => {
    trace.setGlobalTracerProvider(provider);
    try {
      const global = await world.start('global', { tracing: openTelemetry() });
      const { pid } = spawn('actor', global);
      within(() => global.send(pid, Note, 1));
      await world.settle();
      expect(named('note actor').instrumentationScope.name).to.equal('@mezzo/process');
    } finally {
      trace.disable();
    }
  });

  it('takes another propagator, as the one of a global SDK', async () => {
    const key = Symbol('baggage');
    const baggage = {
      fields: () => ['baggage'],
      inject: (
        active: Context,
        carrier: unknown,
        setter: { set(carrier: unknown, key: string, value: string): void },
      ) => {
        const value = active.getValue(key);
        if (typeof value === 'string') setter.set(carrier, 'baggage', value);
      },
      extract: (into: Context, carrier: unknown, getter: { get(carrier: unknown, key: string): unknown }) =>
        into.setValue(key, getter.get(carrier, 'baggage')),
    };
    const both = openTelemetry({ tracer, propagator: baggage });
    expect(both.inject(ROOT_CONTEXT.setValue(key, 'x'))).to.deep.equal({ baggage: 'x' });
    expect((both.extract({ baggage: 'y' }) as Context).getValue(key)).to.equal('y');
  });

  describe('its W3C trace context', () => {
    const parentOf = (traceparent: unknown, tracestate?: unknown): ReturnType<typeof trace.getSpanContext> =>
      trace.getSpanContext(
        traceContext.extract(
          ROOT_CONTEXT,
          { traceparent, tracestate },
          { keys: Object.keys, get: (from, key) => Reflect.get(from as object, key) as string },
        ),
      );
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

    it('is read and written as the recommendation has it', () => {
      const text = `00-${traceId}-${spanId}-01`;
      const extracted = tracing.extract({ traceparent: text, tracestate: 'a=1,b=2' });
      expect(trace.getSpanContext(extracted as Context)).to.include({ traceId, spanId, traceFlags: 1, isRemote: true });
      expect(tracing.inject(extracted)).to.deep.equal({ traceparent: text, tracestate: 'a=1,b=2' });
      expect(tracing.inject(ROOT_CONTEXT)).to.deep.equal({});
    });

    it('of a later version is read as far as it is known', () => {
      expect(parentOf(`01-${traceId}-${spanId}-01-more`)?.spanId).to.equal(spanId);
    });

    for (const text of [
      undefined,
      7,
      '',
      'x',
      `00-${traceId}-${spanId}`,
      `00-${traceId}-${spanId}-01-more`,
      `ff-${traceId}-${spanId}-01`,
      `00-${'0'.repeat(32)}-${spanId}-01`,
      `00-${traceId}-${'0'.repeat(16)}-01`,
      `00-${traceId.toUpperCase()}-${spanId}-01`,
      `00-${traceId}x-${spanId}-01`,
    ]) {
      it(`is not ${String(text)}`, () => {
        expect(parentOf(text)).to.equal(undefined);
        expect(tracing.extract({ traceparent: String(text) })).to.equal(undefined);
      });
    }

    it('comes from no prototype', () => {
      const carrier = Object.create({ traceparent: `00-${traceId}-${spanId}-01` }) as Record<string, string>;
      expect(tracing.extract(carrier)).to.equal(undefined);
    });

    it('is ignored on the wire where it has no proper shape', () => {
      const traceparent = `00-${traceId}-${spanId}-01`;
      for (const carrier of [
        7,
        'x',
        null,
        { traceparent: 7 },
        { traceparent: 'x'.repeat(100_000) },
        { ...Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`key${index}`, 'x'])), traceparent },
        { traceparent, x: 'x'.repeat(10_000) },
      ]) {
        expect(decodeMeta([[], carrier], tracing)).to.equal(undefined);
      }
      const good = decodeMeta([[], { traceparent }], tracing);
      expect(good?.trace).to.not.equal(undefined);
    });
  });
});
