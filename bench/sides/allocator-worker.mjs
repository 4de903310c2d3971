// A worker thread whose runtime holds the allocator, and a process that tells how many runs it has made.
import { Process, Runtime } from '@mezzo/process';
import { workerNode } from '@mezzo/process/pool';
import { createAllocator } from '@mezzo/master';
import { CountRuns, watchRuns } from './allocator-cluster.mjs';

const runtime = await Runtime.start(workerNode());
const runs = watchRuns(runtime);
runtime.spawn(createAllocator());
runtime.spawn(
  new (class extends Process {
    initialize() {
      this.answer(CountRuns, () => runs());
    }
  })('meter'),
);
