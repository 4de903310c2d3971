/** What both sides of a NATS case share: how much they send, and what. */
export const cases = {
  'oneway.16': { count: 300_000, make: () => new Uint8Array(16).fill(7) },
  'oneway.100': { count: 300_000, make: () => new Uint8Array(100).fill(7) },
  'oneway.1024': { count: 100_000, make: () => new Uint8Array(1024).fill(7) },
  typed: { count: 100_000, make: (index) => order(index) },
  'ask.sequential': { count: 3000, inflight: 1 },
  'ask.inflight100': { count: 30_000, inflight: 100 },
};

/** Messages sent before the loop lets the socket write. */
export const volley = 1000;

function order(index) {
  return {
    id: `order-${index}`,
    customer: 'customer-4711',
    created: 1_700_000_000_000 + index,
    amount: 1234.5,
    currency: 'EUR',
    express: index % 2 === 0,
    items: 3,
    weight: 0.75,
    country: 'Greece',
    note: 'leave it with the neighbours',
  };
}

const fields = Object.entries(order(0)).map(([name, value]) => [name, typeof value]);

/** Checks all ten fields. */
export function isOrder(value) {
  if (typeof value !== 'object' || value === null) return false;
  for (const [name, type] of fields) if (typeof value[name] !== type) return false;
  return true;
}

/** Operations per second: one run to warm up, then the best of three. */
export async function rates(count, run) {
  const measured = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    const start = process.hrtime.bigint();
    await run(count);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (attempt > 0) measured.push(count / seconds);
  }
  return Math.max(...measured);
}

/** Runs `one` so many times, `inflight` of them at once. */
export async function concurrently(count, inflight, one) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: inflight }, worker));
}

export const hop = () => new Promise((resolve) => setImmediate(resolve));
