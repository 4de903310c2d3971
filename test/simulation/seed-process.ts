// Runs seeds in an OS process of its own, one after the other, as its parent hands them out.
import { runSeed, type SeedJob } from './run-seed.ts';

process.on('message', (job: SeedJob) => {
  runSeed(job).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
