import type { Random } from '@mezzo/process';
import type { Simulation } from '@mezzo/process/testing';
import { SimulatedCluster } from './cluster.ts';
import type { Plant } from './plants.ts';
import { frameworkNames, masterNames, schedule } from './settings.ts';

/** Milliseconds between two steps of the scenario. */
const step = 30_000;

/** Ten minutes of a cluster: faults that are drawn, and some that are aimed at whoever leads; then calm, and a last look. */
export async function scenario(world: Simulation, plant: Plant | undefined): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster(world, plant);
  await cluster.start();
  for (let at = step; at < schedule.idle; at += step) {
    await world.advance(at - world.elapsed);
    for (const name of frameworkNames) {
      world.act(`${name} has more to do`, (random) => {
        if (random.next() < 0.6) work(cluster, name, random);
      });
    }
    if (at < schedule.calm && at % (3 * step) === 0)
      world.act('the leader is in trouble', (random) => trouble(cluster, random));
  }
  world.calm();
  await world.advance(schedule.idle - world.elapsed);
  for (const name of frameworkNames) {
    const record = cluster.frameworks.find((one) => one.name === name);
    if (record !== undefined) record.wanted = 0;
    cluster.withScheduler(name, (scheduler, driver) => scheduler.rest(driver));
  }
  await world.advance(schedule.end - world.elapsed);
  cluster.witness.conclude();
  return cluster;
}

function work(cluster: SimulatedCluster, name: string, random: Random): void {
  const count = 1 + Math.floor(random.next() * 6);
  const kills = random.next() < 0.3;
  cluster.withScheduler(name, (scheduler, driver) => {
    scheduler.want(driver, count);
    if (kills) scheduler.killOne(driver);
  });
}

/** Crashes, stands still, or is cut off from the others, from the lease, or from the registry. */
function trouble(cluster: SimulatedCluster, random: Random): void {
  const { world, leader } = cluster;
  const kind = Math.floor(random.next() * 5);
  const lasting = 5000 + random.next() * 25_000;
  if (leader === undefined) return;
  const heal = (partition: { heal(): void }): void => void world.clock.timer(lasting, () => partition.heal());
  switch (kind) {
    case 0: {
      world.crash(leader);
      const again = (): void => {
        if (world.runtime(leader) === undefined) world.restart(leader).catch(() => world.clock.timer(1000, again));
      };
      world.clock.timer(lasting, again);
      return;
    }
    case 1:
      world.pause(leader);
      world.clock.timer(lasting, () => world.resume(leader));
      return;
    case 2:
      return heal(
        world.network.partition(
          [leader],
          masterNames.filter((name) => name !== leader),
        ),
      );
    case 3:
      return heal(world.network.partition([leader], ['lease', ...masterNames.filter((name) => name !== leader)]));
    default:
      return heal(world.network.partition([leader], ['registry']));
  }
}
