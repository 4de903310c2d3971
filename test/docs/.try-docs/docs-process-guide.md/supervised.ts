import { Process, type ProcessGone, request, Runtime, Supervisor } from '@mezzo/process';

/** Without schemas a message stays inside its runtime. */
const Sell = request<number, number>('sell');

class Till extends Process {
  #sold = 0;

  protected override initialize(): void {
    this.answer(Sell, (price) => {
      if (price < 0) throw new Error(`a price of ${price}`);
      return (this.#sold += price);
    });
  }
}

await using runtime = await Runtime.start({ onError: (_error, context) => console.log(context) });
const shop = runtime.spawn(new Supervisor('shop', { children: [{ id: 'till', start: () => new Till() }] }));
console.log(await shop.ask.children());

// A bare address: whoever has the id when the message arrives.
const till = runtime.pid('till');
console.log(await runtime.ask(till, Sell, 5));
await runtime.ask(till, Sell, -5).then(null, (error: ProcessGone) => console.log(error.code));
console.log(await shop.ask.children());
console.log(await runtime.ask(till, Sell, 5));
