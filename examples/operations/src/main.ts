// npm start -w examples/operations -- persistent-volume quota; without names all of them.
import { SmallCluster } from './cluster.ts';
import { examples } from './examples.ts';

const names = process.argv.slice(2);
for (const name of names.length === 0 ? examples.keys() : names) {
  const example = examples.get(name);
  if (example === undefined) {
    console.error(`There is no example '${name}'; expected ${[...examples.keys()].join(', ')}`);
    process.exit(1);
  }
  console.log(`${name}:`);
  await using cluster = await SmallCluster.start('host-1', 'host-2');
  await example(cluster, (line) => console.log(`  ${line}`));
}
