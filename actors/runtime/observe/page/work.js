// How busy each kind of actor is, and the switch between the views.

const work = {known: null, element: document.getElementById('work'), rows: new Map(), shown: null,
  body: document.querySelector('#work tbody'), about: document.querySelector('#work h2 span'), none: document.querySelector('#work .none')};

work.reset = () => { work.known = null; };
work.update = w => { if (w) work.known = w; };

const micros = us => us >= 1e6 ? (us / 1e6).toFixed(1) + ' s' : us >= 1000 ? (us / 1000).toPrecision(us < 1e5 ? 2 : 3) + ' ms' : Math.round(us) + ' µs';
const percent = part => part > 0 && part < .001 ? '< 0.1 %' : (100 * part).toFixed(part < .0995 ? 1 : 0) + ' %';
const frequency = n => (n >= 9.95 ? Math.round(n).toLocaleString('en') : n.toFixed(1)) + '/s';

work.render = () => {
  const w = work.known;
  if (work.element.hidden || work.shown === w) return;
  work.shown = w;
  work.none.hidden = !!w;
  work.body.parentNode.hidden = !w;
  put(work.about, w ? `in the last ${Math.round(w.seconds)} s, from a sample${w.flows_left_out ? `; ${w.flows_left_out} rarer kinds of messages are left out` : ''}` : '');
  work.living = new Map(); // how many actors of each kind there are now
  for (const a of tree.actors.values()) work.living.set(a.kind, (work.living.get(a.kind) || 0) + 1);
  graph.draw(w);
  if (!w) return;
  const wanted = new Set();
  for (const k of w.kinds) {
    if (k.device && k.kind !== 'processor') continue;
    wanted.add(k.kind);
    let row = work.rows.get(k.kind);
    if (!row) work.rows.set(k.kind, row = work.newRow(k));
    work.body.append(row.element); // in their order
    work.fill(row, k, w);
  }
  for (const [kind, row] of work.rows) {
    if (wanted.has(kind)) continue;
    row.element.remove();
    work.rows.delete(kind);
  }
};

work.newRow = k => {
  const r = {element: make('tr', k.device ? 'device' : ''), cells: []};
  r.element.dataset.kind = k.kind;
  r.element.append(make('th', '', k.kind));
  for (let i = 0; i < 9; i++) {
    r.cells.push(make('span'));
    const td = make('td');
    if (i === 3) td.append(r.bar = make('i'));
    td.append(r.cells[i]);
    r.element.append(td);
  }
  r.element.addEventListener('pointerenter', () => graph.point(k.kind));
  r.element.addEventListener('pointerleave', () => graph.point(null));
  return r;
};

work.fill = (r, k, w) => {
  const part = k.device ? k.busy / Math.max(1, w.cores) : k.busiest;
  r.bar.style.setProperty('--full', Math.min(1, part));
  r.bar.className = part >= .9 ? 'full' : part >= .6 ? 'much' : '';
  const texts = k.device ? ['', '', percent(k.busy), `of ${count(w.cores, 'core')}`, '', '', '', '', ''] :
    [work.living.get(k.kind) || '', frequency(k.messages / w.seconds), percent(k.busy), percent(k.busiest), k.queue < .05 ? '–' : k.queue.toPrecision(2),
      micros(k.wait_median_us), micros(k.wait_p99_us), micros(k.service_median_us), micros(k.service_p99_us)];
  texts.forEach((text, i) => put(r.cells[i], String(text)));
};

const views = [...document.querySelectorAll('#views button')];
for (const [i, tab] of views.entries()) {
  tab.addEventListener('click', () => {
    for (const other of views) {
      const chosen = other === tab;
      other.setAttribute('aria-selected', chosen);
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute('aria-controls')).hidden = !chosen;
    }
    work.redraw();
    draw();
  });
  tab.addEventListener('keydown', event => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const next = views[(i + 1) % views.length];
    next.focus();
    next.click();
  });
}

work.redraw = () => { work.shown = undefined; };
