// Shows the master's /state, asked for every second. Whatever comes from the cluster gets into the page as text only.

const interval = 1000;
const patience = 5000;
const taskLimit = 200;

const megabytes = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** An element with attributes; children are elements or text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

function show(id, ...children) {
  document.getElementById(id)?.replaceChildren(...children);
}

function rows(id, list, columns) {
  const empty = element('tr', {}, element('td', { colspan: columns, class: 'none' }, 'none'));
  show(id, ...(list.length === 0 ? [empty] : list));
}

function row(...cells) {
  return element(
    'tr',
    {},
    ...cells.map((cell) => (cell instanceof HTMLTableCellElement ? cell : element('td', {}, cell))),
  );
}

function idCell(id) {
  return element('td', { class: 'id' }, id);
}

function memory(amount) {
  return amount >= 1024 ? `${megabytes.format(amount / 1024)} GB` : `${megabytes.format(amount)} MB`;
}

function cpus(amount) {
  return megabytes.format(amount);
}

function bar(total, used, offered, format) {
  const percent = (part) => `${total > 0 ? Math.min(100, (100 * part) / total) : 0}%`;
  const parts = [
    ['used', used],
    ['offered', offered],
  ].map(([name, amount]) => {
    const part = element('span', { class: name });
    part.style.width = percent(amount);
    return part;
  });
  const text = `${format(used)} used, ${format(offered)} offered of ${format(total)}`;
  return element(
    'div',
    {},
    element('div', { class: 'bar', role: 'img', 'aria-label': text }, ...parts),
    element('small', {}, text),
  );
}

function agentBar(agent, name, format) {
  return bar(agent.resources[name], agent.used_resources[name], agent.offered_resources[name], format);
}

function sum(list, read) {
  return list.reduce((total, item) => total + read(item), 0);
}

function showMaster(state) {
  show('cluster', state.cluster);
  document.title = `Mezzo ${state.cluster}`;
  const facts = {
    Leader: state.leader,
    Id: state.id,
    Version: state.version,
    Started: new Date(state.start_time * 1000).toLocaleString(),
    'Agents lost': state.unreachable_slaves,
  };
  show(
    'master',
    ...Object.entries(facts).flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  );
  const all = (kind, name) => sum(state.slaves, (agent) => agent[kind][name]);
  const total = (title, name, format) =>
    element(
      'div',
      {},
      title,
      bar(all('resources', name), all('used_resources', name), all('offered_resources', name), format),
    );
  show('resources', total('CPUs', 'cpus', cpus), total('Memory', 'mem', memory));
}

function showAgents(state) {
  const running = new Map();
  for (const framework of state.frameworks) {
    for (const task of framework.tasks) running.set(task.slave_id, (running.get(task.slave_id) ?? 0) + 1);
  }
  show('agents-count', `(${state.slaves.length})`);
  const list = state.slaves.map((agent) =>
    row(
      agent.hostname,
      agent.active ? element('span', { class: 'good' }, 'active') : element('span', { class: 'bad' }, 'disconnected'),
      agentBar(agent, 'cpus', cpus),
      agentBar(agent, 'mem', memory),
      running.get(agent.id) ?? 0,
      idCell(agent.id),
    ),
  );
  rows('agents', list, 6);
}

function stateOfFramework(framework, isCompleted) {
  if (isCompleted) return 'completed';
  if (framework.active) return element('span', { class: 'good' }, 'active');
  if (framework.recovered) return 'recovered';
  return framework.connected ? 'inactive' : element('span', { class: 'bad' }, 'disconnected');
}

function showFrameworks(state) {
  const describe = (framework, isCompleted) =>
    row(
      framework.name,
      stateOfFramework(framework, isCompleted),
      framework.role ?? framework.roles.join(', '),
      cpus(framework.used_resources.cpus),
      memory(framework.used_resources.mem),
      framework.tasks.length,
      framework.completed_tasks.length + framework.unreachable_tasks.length,
      framework.offers.length,
      idCell(framework.id),
    );
  show('frameworks-count', `(${state.frameworks.length})`);
  rows(
    'frameworks',
    [
      ...state.frameworks.map((framework) => describe(framework, false)),
      ...state.completed_frameworks.map((framework) => describe(framework, true)).reverse(),
    ],
    9,
  );
}

/** Every task of every framework, active ones first, newest first. */
function allTasks(state) {
  const frameworks = [...state.completed_frameworks, ...state.frameworks];
  const named = (list, name) => list.map((task) => ({ ...task, framework: name }));
  const newestFirst = (left, right) => since(right) - since(left);
  const active = frameworks.flatMap(({ name, tasks }) => named(tasks, name).reverse());
  const ended = frameworks.flatMap(({ name, completed_tasks, unreachable_tasks }) =>
    named([...completed_tasks, ...unreachable_tasks], name),
  );
  return [...active.sort(newestFirst), ...ended.reverse().sort(newestFirst)];
}

/** When it entered its state; a task that is about to start has no status yet and is the newest there is. */
function since(task) {
  return task.statuses.at(-1)?.timestamp ?? Number.MAX_VALUE;
}

function stateOfTask(state) {
  const name = state.replace('TASK_', '').toLowerCase();
  if (name === 'finished' || name === 'running') return element('span', { class: 'good' }, name);
  return ['failed', 'lost', 'error', 'dropped', 'gone', 'unreachable'].includes(name)
    ? element('span', { class: 'bad' }, name)
    : name;
}

function showTasks(state) {
  const tasks = allTasks(state);
  const counts = new Map();
  for (const task of tasks) counts.set(task.state, (counts.get(task.state) ?? 0) + 1);
  const items = [...counts].sort(([left], [right]) => left.localeCompare(right));
  show(
    'states',
    ...items.map(([name, count]) =>
      element('li', { 'data-state': name }, element('strong', {}, count), ' ', stateOfTask(name)),
    ),
    ...(items.length === 0 ? [element('li', {}, 'no tasks yet')] : []),
  );
  const hosts = new Map(state.slaves.map((agent) => [agent.id, agent.hostname]));
  const shown = tasks.slice(0, taskLimit);
  show(
    'tasks-count',
    shown.length < tasks.length ? `(newest ${shown.length} of ${tasks.length})` : `(${tasks.length})`,
  );
  const list = shown.map((task) =>
    row(
      task.id,
      stateOfTask(task.state),
      task.statuses.length === 0 ? '' : new Date(since(task) * 1000).toLocaleTimeString(),
      hosts.get(task.slave_id) ?? task.slave_id,
      task.framework,
      cpus(task.resources.cpus),
      memory(task.resources.mem),
    ),
  );
  rows('tasks', list, 7);
}

function setLive(isLive, text, error = '') {
  const live = document.getElementById('live');
  const words = isLive ? text : 'not connected';
  // Replaced only when it changes, or a screen reader would say it every second.
  if (live !== null && live.textContent !== words) live.textContent = words;
  live?.setAttribute('data-live', isLive ? 'yes' : 'no');
  const banner = document.getElementById('error');
  if (banner === null) return;
  banner.hidden = isLive;
  if (banner.textContent !== error) banner.textContent = error;
}

async function refresh() {
  try {
    const response = await fetch('/state', { cache: 'no-store', signal: AbortSignal.timeout(patience) });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    const state = await response.json();
    showMaster(state);
    showAgents(state);
    showFrameworks(state);
    showTasks(state);
    setLive(true, 'live');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    setLive(
      false,
      '',
      `The master does not answer (${reason}). What is shown is the last that is known; trying again.`,
    );
  }
  setTimeout(() => void refresh(), interval);
}

void refresh();
