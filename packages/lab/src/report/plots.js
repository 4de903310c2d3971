// Runs in the page, behind uPlot; the page's data are in #data.
(() => {
  'use strict';

  const { charts, events } = JSON.parse(document.getElementById('data').textContent);
  const palette = 10;
  const dashes = [[], [7, 4], [2, 3]];
  const dashOf = (index) => dashes[Math.floor(index / palette) % dashes.length];
  const variableOf = (index) => `--s${index % palette}`;

  // Live: it follows the reader's colour scheme.
  const style = getComputedStyle(document.documentElement);
  const color = (variable) => style.getPropertyValue(variable).trim();
  const plots = [];

  const shown = (value) => (value === null || value === undefined ? '' : String(Number(value.toPrecision(4))));

  /** Marks events, numbered as in the list below; a number that would lie on another one is left out. */
  function drawEvents(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = color('--mark');
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'bottom';
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    let free = -Infinity;
    for (const [index, { time }] of events.entries()) {
      const x = plot.valToPos(time, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.globalAlpha = 0.55;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (x < free) continue;
      ctx.globalAlpha = 1;
      ctx.fillText(String(index + 1), x, bbox.top - devicePixelRatio);
      free = x + 16 * devicePixelRatio;
    }
    ctx.restore();
  }

  /** Each curve carries the number that it has in the legend, each at another place, so that nobody needs its colour. */
  function drawNumbers(plot) {
    const { ctx, series } = plot;
    const [first, last] = series[0].idxs;
    ctx.save();
    ctx.font = `bold ${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.strokeStyle = color('--paper');
    ctx.lineWidth = 4 * devicePixelRatio;
    ctx.lineJoin = 'round';
    ctx.fillStyle = color('--ink');
    for (let index = 1; index < series.length; index++) {
      if (!series[index].show) continue;
      const values = plot.data[index];
      let at = Math.round(first + ((index - 0.5) / (series.length - 1)) * (last - first));
      while (at < last && typeof values[at] !== 'number') at++;
      if (typeof values[at] !== 'number') continue;
      const [x, y] = [plot.valToPos(plot.data[0][at], 'x', true), plot.valToPos(values[at], 'y', true)];
      ctx.strokeText(String(index), x, y);
      ctx.fillText(String(index), x, y);
    }
    ctx.restore();
  }

  function axis(label, side) {
    return {
      label,
      side,
      stroke: () => color('--soft'),
      labelFont: '12px system-ui, sans-serif',
      font: '12px system-ui, sans-serif',
      labelSize: 20,
      size: side === 3 ? 52 : 34,
      grid: { stroke: () => color('--grid'), width: 1 },
      ticks: { stroke: () => color('--line'), width: 1, size: 5 },
      border: { show: true, stroke: () => color('--line'), width: 1 },
      values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : String(Number(tick.toPrecision(6))))),
    };
  }

  function options(chart, width, readout) {
    const time = chart.xKind === 'time';
    return {
      width,
      height: width < 480 ? 220 : 280,
      padding: [time && events.length > 0 ? 18 : 8, 22, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, ...(chart.xKind === 'log' ? { distr: 3, range: (_, least, most) => [least, most] } : {}) },
        y: { range: (_, least, most) => [Math.min(0, least ?? 0), chart.yMax ?? (most > 0 ? most : 1) * 1.05] },
      },
      axes: [axis(chart.xLabel, 2), axis(chart.yLabel, 3)],
      series: [
        {},
        ...chart.series.map(({ label }, index) => ({
          label,
          stroke: () => color(variableOf(index)),
          width: 2,
          dash: dashOf(index),
          points: { show: chart.x.length < 3 },
        })),
      ],
      cursor: { ...(time ? { sync: { key: 'time' } } : {}), drag: { x: true, y: false }, y: false },
      hooks: {
        draw: [...(time ? [drawEvents] : []), ...(chart.series.length > 1 ? [drawNumbers] : [])],
        setCursor: [readout],
      },
    };
  }

  function swatch(index) {
    const space = 'http://www.w3.org/2000/svg';
    const picture = document.createElementNS(space, 'svg');
    const line = document.createElementNS(space, 'line');
    for (const [name, value] of Object.entries({ width: 22, height: 8, 'aria-hidden': true }))
      picture.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x1: 0, x2: 22, y1: 4, y2: 4 })) line.setAttribute(name, value);
    line.style.cssText = `stroke: var(${variableOf(index)}); stroke-width: 2.5; stroke-dasharray: ${dashOf(index).join(' ') || 'none'}`;
    picture.append(line);
    return picture;
  }

  function button(text, press) {
    const made = document.createElement('button');
    made.type = 'button';
    made.append(text);
    made.addEventListener('click', press);
    return made;
  }

  function draw(chart) {
    const place = document.getElementById(chart.id);
    const holder = place.querySelector('.plot');
    const legend = place.querySelector('.legend');
    const entries = chart.series.map(({ label }, index) => {
      const value = document.createElement('output');
      const name = chart.series.length > 1 ? `${index + 1} ${label}` : label;
      const toggle = button(name, () => show(index, toggle.getAttribute('aria-pressed') === 'false'));
      toggle.setAttribute('aria-pressed', 'true');
      toggle.prepend(swatch(index));
      toggle.append(value);
      return { toggle, value };
    });
    const readout = (plot) => {
      const { idx } = plot.cursor;
      for (const [index, { value }] of entries.entries())
        value.textContent = idx === null ? '' : shown(plot.data[index + 1][idx]);
    };
    const plot = new uPlot(
      options(chart, holder.clientWidth, readout),
      [chart.x, ...chart.series.map(({ values }) => values)],
      holder,
    );
    const show = (index, visible) => {
      entries[index].toggle.setAttribute('aria-pressed', String(visible));
      plot.setSeries(index + 1, { show: visible });
    };
    const all = (visible) => () => entries.forEach((_, index) => show(index, visible));
    const extra = entries.length > 6 ? [button('all', all(true)), button('none', all(false))] : [];
    legend.append(
      ...[...entries.map(({ toggle }) => toggle), ...extra].map((control) => {
        const item = document.createElement('li');
        item.append(control);
        return item;
      }),
    );
    plots.push(plot);
    new ResizeObserver(() => {
      const width = holder.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: width < 480 ? 220 : 280 });
    }).observe(holder);
  }

  for (const chart of charts) draw(chart);
  for (const query of ['(prefers-color-scheme: dark)', 'print']) {
    matchMedia(query).addEventListener('change', () => {
      for (const plot of plots) plot.redraw(false);
    });
  }
})();
