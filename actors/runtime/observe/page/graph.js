// Who sends what to whom: kinds of actors on an ellipse, and the messages
// between them, the thicker the more there are.

const graph = {place: document.getElementById('graph'), svg: document.querySelector('#graph svg'), tip: document.getElementById('tip'),
  order: [], nodes: new Map(), edges: new Map(), pointed: null};

const boxHeight = 38, boxFrom = 86;

// shape makes an element of SVG.
const shape = (tag, attributes, ...children) => {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
};

graph.draw = w => {
  if (!w) return graph.svg.replaceChildren();
  const edges = new Map(), kinds = new Map();
  const kind = name => {
    if (!kinds.has(name)) kinds.set(name, {name, work: w.kinds.find(k => k.kind === name && !k.device), box: null});
    return kinds.get(name);
  };
  for (const f of w.flows) {
    const key = f.from + ' → ' + f.to;
    let e = edges.get(key);
    if (!e) edges.set(key, e = {key, from: kind(f.from), to: kind(f.to), count: 0, flows: []});
    e.count += f.count;
    e.flows.push(f);
  }
  graph.seconds = w.seconds;
  graph.edges = edges;
  graph.nodes = kinds;
  // The order lasts for as long as the kinds do, so that nothing jumps.
  if (graph.order.length !== kinds.size || graph.order.some(name => !kinds.has(name))) graph.order = graph.arrange();
  graph.lay();
  const lines = [...edges.values()].sort((a, b) => a.count - b.count).map(graph.line).filter(Boolean);
  graph.svg.replaceChildren(shape('g', {}, ...lines), shape('g', {}, ...graph.order.map(name => graph.box(kinds.get(name)))));
  graph.point(graph.pointed);
};

// arrange puts those side by side that send each other the most: it begins with
// the heaviest edge, and adds at either end whoever has most to do with those
// who are there.
graph.arrange = () => {
  const weight = (a, b) => [a + ' → ' + b, b + ' → ' + a].reduce((sum, key) => sum + Math.log1p((graph.edges.get(key) || {count: 0}).count), 0);
  const left = new Set([...graph.nodes.keys()].sort()), row = [];
  while (left.size) {
    let best = null;
    for (const name of left) {
      const all = row.reduce((sum, other) => sum + weight(name, other), 0);
      if (!best || all > best.all) best = {name, all};
    }
    const near = end => weight(best.name, row[end] || '') + weight(best.name, row[end ? end - 1 : 1] || '') / 2;
    if (near(0) > near(row.length - 1)) row.unshift(best.name); else row.push(best.name);
    left.delete(best.name);
  }
  return row;
};

// lay gives each kind its place, at equal distances on the ellipse.
graph.lay = () => {
  const n = graph.order.length, width = graph.place.clientWidth, narrow = width < 560;
  const height = narrow ? Math.max(420, n * 40) : Math.max(340, Math.min(460, width * .5));
  graph.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  graph.svg.setAttribute('height', height);
  const widest = Math.max(...graph.order.map(name => graph.widthOf(graph.nodes.get(name))));
  const a = Math.max(20, (width - widest) / 2 - 10), b = height / 2 - boxHeight / 2 - 22;
  const steps = 720, at = i => [width / 2 - a * Math.cos(i / steps * 2 * Math.PI), height / 2 - b * Math.sin(i / steps * 2 * Math.PI)];
  let length = 0;
  const lengths = [0];
  for (let i = 1; i <= steps; i++) {
    const [x0, y0] = at(i - 1), [x1, y1] = at(i);
    lengths.push(length += Math.hypot(x1 - x0, y1 - y0));
  }
  graph.centre = [width / 2, height / 2];
  const places = graph.order.map((_, k) => length * k / n);
  const boxOf = k => {
    const far = ((places[k] % length) + length) % length, [x, y] = at(lengths.findIndex(l => l >= far));
    return {x, y, w: graph.widthOf(graph.nodes.get(graph.order[k])), h: boxHeight};
  };
  // Where boxes would touch, neighbours move apart.
  for (let moved = true, rounds = 0; moved && rounds < 60; rounds++) {
    moved = false;
    for (let k = 0; k < n && n > 1; k++) {
      const next = (k + 1) % n, a = boxOf(k), b = boxOf(next);
      if (Math.abs(a.x - b.x) >= (a.w + b.w) / 2 + 6 || Math.abs(a.y - b.y) >= boxHeight + 6) continue;
      places[k] -= 3;
      places[next] += 3;
      moved = true;
    }
  }
  graph.order.forEach((name, k) => {
    const box = boxOf(k);
    graph.nodes.get(name).box = {...box, left: box.x - box.w / 2, top: box.y - boxHeight / 2};
  });
};

graph.titleOf = node => node.name + (work.living.get(node.name) > 1 ? ` × ${work.living.get(node.name)}` : '');
graph.aboutOf = node => node.work ? percent(node.work.busy) + ' busy' : node.name === 'world' ? 'links, disks, timers' : 'not measured';
graph.widthOf = node => Math.max(boxFrom, graph.titleOf(node).length * 6.9 + 18, graph.aboutOf(node).length * 5.6 + 16);

const inside = (box, x, y) => Math.abs(x - box.x) < box.w / 2 + 2 && Math.abs(y - box.y) < box.h / 2 + 2;

// line is the curve of an edge, bent to its right: two that go to and fro lie
// side by side.
graph.line = e => {
  const a = e.from.box, b = e.to.box, persecond = e.count / graph.seconds, width = 1 + 1.5 * Math.log10(1 + persecond);
  const g = shape('g', {class: 'edge', 'data-edge': e.key, 'data-width': width.toFixed(2)});
  const [cx, cy] = graph.centre;
  let d, tip, from;
  if (a === b) { // to itself: a loop that turns its back on the centre
    const out = a.y < cy ? -1 : 1, y = a.y + out * a.h / 2;
    d = `M${a.x - 9} ${y} C${a.x - 16} ${y + out * 20} ${a.x + 16} ${y + out * 20} ${a.x + 9} ${y + out * 4}`;
    [tip, from] = [[a.x + 9, y + out], [a.x + 12, y + out * 10]];
  } else {
    const dx = b.x - a.x, dy = b.y - a.y, far = Math.hypot(dx, dy), bend = 12 + far * .06;
    const mx = (a.x + b.x) / 2, my = (a.y + b.y) / 2;
    const qx = mx + (cx - mx) * .3 - dy / far * bend, qy = my + (cy - my) * .3 + dx / far * bend;
    const at = t => [(1 - t) ** 2 * a.x + 2 * t * (1 - t) * qx + t * t * b.x, (1 - t) ** 2 * a.y + 2 * t * (1 - t) * qy + t * t * b.y];
    let first = 0, last = 1;
    while (first < .5 && inside(a, ...at(first))) first += .01;
    while (last > .5 && inside(b, ...at(last))) last -= .01;
    tip = at(last);
    from = at(last - .04);
    const end = at(Math.max(first, last - (3 + width) / far)); // the head begins there
    const points = [];
    for (let i = 0; i <= 16; i++) points.push(i < 16 ? at(first + (last - first) * i / 16) : end);
    points.splice(15, 1);
    d = 'M' + points.map(p => p.map(v => v.toFixed(1)).join(' ')).join('L');
  }
  const angle = Math.atan2(tip[1] - from[1], tip[0] - from[0]), size = 5 + width;
  const corner = turn => [tip[0] - size * Math.cos(angle + turn), tip[1] - size * Math.sin(angle + turn)].map(v => v.toFixed(1)).join(' ');
  g.append(shape('path', {d, class: 'hit'}), shape('path', {d, 'stroke-width': width.toFixed(2)}),
    shape('polygon', {points: `${tip.map(v => v.toFixed(1)).join(' ')}, ${corner(.42)}, ${corner(-.42)}`}));
  g.addEventListener('pointerenter', event => graph.point(e.key, event));
  g.addEventListener('pointerleave', () => graph.point(null));
  return g;
};

graph.box = node => {
  const {left, top, w, h, x, y} = node.box, k = node.work, part = k ? k.busiest : 0;
  const g = shape('g', {class: 'kind' + (k ? part >= .9 ? ' full' : part >= .6 ? ' much' : '' : ' outside'), 'data-kind': node.name, tabindex: 0},
    shape('rect', {x: left, y: top, width: w, height: h, rx: 7}),
    shape('text', {x, y: y - 3, class: 'name'}, graph.titleOf(node)),
    shape('text', {x, y: y + 11}, graph.aboutOf(node)));
  if (k) g.append(shape('rect', {x: left + 8, y: top + h - 4.5, width: Math.max(0, (w - 16) * Math.min(1, part)), height: 2, rx: 1, class: 'load'}));
  g.addEventListener('pointerenter', event => graph.point(node.name, event));
  g.addEventListener('pointerleave', () => graph.point(null));
  g.addEventListener('focus', () => graph.point(node.name));
  g.addEventListener('blur', () => graph.point(null));
  return g;
};

// point makes an edge or a kind stand out, and tells what is known of it.
graph.point = what => {
  graph.pointed = what;
  const node = graph.nodes.get(what), edge = graph.edges.get(what);
  graph.svg.classList.toggle('pointed', !!(node || edge));
  const near = new Set();
  for (const g of graph.svg.querySelectorAll('.edge')) {
    const e = graph.edges.get(g.dataset.edge), out = !!node && e.from === node, into = !!node && e.to === node, on = e === edge || out || into;
    g.classList.toggle('on', on);
    g.classList.toggle('into', into && !out);
    if (on) near.add(e.from.name).add(e.to.name);
  }
  for (const g of graph.svg.querySelectorAll('.kind')) g.classList.toggle('on', near.has(g.dataset.kind) || g.dataset.kind === what);
  graph.tip.hidden = !node && !edge;
  if (edge) graph.tell(edge.key, [['', frequency(edge.count / graph.seconds)], ...graph.messages(edge.flows)], edge.from.box, edge.to.box);
  if (node) {
    const of = side => [...graph.edges.values()].filter(e => e[side] === node).sort((a, b) => b.count - a.count);
    const list = side => of(side).slice(0, 5).map(e => [(side === 'to' ? '← ' + e.from.name : '→ ' + e.to.name), frequency(e.count / graph.seconds)]);
    graph.tell(node.name, [...list('to'), ...list('from')], node.box, node.box);
  }
};

// messages are the types that travel along an edge.
graph.messages = flows => {
  const most = flows.slice(0, 8).map(f => [f.message, frequency(f.count / graph.seconds) + (f.bytes ? ', ' + rate(f.bytes / graph.seconds) : '')]);
  return flows.length > 8 ? [...most, [`${flows.length - 8} more`, '']] : most;
};

graph.tell = (title, rows, a, b) => {
  const list = make('dl');
  for (const [name, value] of rows) if (name || value) list.append(make('dt', '', name || 'all'), make('dd', '', value));
  graph.tip.replaceChildren(make('b', '', title), list);
  // Beside what it is about: on the side of the centre.
  const [cx] = graph.centre, width = graph.place.clientWidth, x = (a.x + b.x) / 2, y = (a.y + b.y) / 2;
  const {offsetWidth: w, offsetHeight: h} = graph.tip;
  const left = a === b ? (x < cx ? x + a.w / 2 + 10 : x - a.w / 2 - w - 10) : (x < cx ? x + 16 : x - w - 16);
  graph.tip.style.left = Math.max(6, Math.min(width - w - 6, left)) + 'px';
  graph.tip.style.top = Math.max(4, Math.min(graph.svg.clientHeight - h - 4, y - h / 2)) + 'px';
};
