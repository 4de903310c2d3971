import { Process, Runtime } from '@mezzo/process';

class Counter extends Process {
  #total = 0;

  add(n: number): number {
    return (this.#total += n);
  }
}

await using runtime = await Runtime.start();
const counter = runtime.spawn(new Counter('counter'));

counter.tell.add(1); // nobody waits for the result
console.log(await counter.ask.add(2));
