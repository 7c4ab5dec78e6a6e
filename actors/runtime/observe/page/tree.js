// The supervision tree. All actors are in a map; the rows in sight, and only
// they, are in the document, and are used again for others as one scrolls.

const rowHeight = 26, flashFor = 2400, recentFor = 60e3, indent = 20;
// A group as large as this is folded when it is first seen, and shown as a crowd.
const crowd = 400;

const tree = {
  actors: new Map(),    // path -> the row that the server sent, with fields of our own
  children: new Map(),  // path -> paths, sorted
  folded: new Map(),    // path -> by choice of the user, or because of a crowd
  visible: [],          // paths in order
  pool: [],             // rows of the document
  labels: new Map(),    // path -> what else is known
  chosen: null,
  stale: true,          // visible must be made anew
  now: () => Date.now(),
  scroll: document.getElementById('scroll'),
  body: document.getElementById('tree'),
  filter: document.getElementById('filter'),
};

const natural = new Intl.Collator('en', {numeric: true}).compare;
// Peers stand last: they are many.
const order = (a, b) => (lastPart(a) === 'peers') - (lastPart(b) === 'peers') || natural(lastPart(a), lastPart(b));

tree.reset = () => {
  tree.actors.clear();
  tree.children.clear();
  tree.stale = true;
};

tree.remove = path => {
  const a = tree.actors.get(path);
  if (!a) return;
  tree.actors.delete(path);
  const siblings = tree.children.get(a.parent || '');
  const i = siblings ? siblings.indexOf(path) : -1;
  if (i >= 0) siblings.splice(i, 1);
  tree.stale = true;
};

// update takes actors as the server sends them. first says that nothing is news
// in them.
tree.update = (actors, first) => {
  const grown = new Set();
  for (const a of actors) {
    const before = tree.actors.get(a.path);
    tree.actors.set(a.path, a);
    if (before) {
      a.flash = before.flash;
    } else {
      const parent = a.parent || '';
      if (!tree.children.has(parent)) tree.children.set(parent, []);
      tree.children.get(parent).push(a.path);
      grown.add(parent);
      tree.stale = true;
      if (!first) a.flash = {kind: 'spawned', at: performance.now()};
    }
    if (first) continue;
    if (a.failed_at > ((before && before.failed_at) || 0)) a.flash = {kind: 'failed', at: performance.now()};
    if (a.incarnation > 1 && before && a.incarnation > before.incarnation) a.flash = {kind: 'restarted', at: performance.now()};
  }
  for (const parent of grown) {
    const children = tree.children.get(parent).sort(order);
    if (children.length >= crowd && !tree.folded.has(parent)) tree.folded.set(parent, true);
  }
};

tree.flatten = () => {
  tree.stale = false;
  tree.visible = [];
  const wanted = tree.filter.value.trim().toLowerCase();
  const walk = (path, depth) => {
    const children = tree.children.get(path) || [];
    for (const child of children) {
      const a = tree.actors.get(child);
      a.depthInTree = depth;
      const at = tree.visible.push(child) - 1;
      if (wanted || !tree.folded.get(child)) walk(child, depth + 1);
      if (wanted && tree.visible.length === at + 1 && !child.toLowerCase().includes(wanted)) tree.visible.pop();
    }
  };
  walk('', 0);
  tree.body.style.height = tree.visible.length * rowHeight + 'px';
};

tree.render = () => {
  if (tree.stale) tree.flatten();
  const top = Math.max(0, Math.floor(tree.scroll.scrollTop / rowHeight) - 4);
  const end = Math.min(tree.visible.length, top + Math.ceil(tree.scroll.clientHeight / rowHeight) + 8);
  while (tree.pool.length < end - top) tree.pool.push(tree.newRow());
  tree.pool.forEach((row, i) => {
    // A row keeps its place in the pool while one scrolls: fewer rows change.
    const n = tree.pool.length, at = top + ((i - top) % n + n) % n;
    row.element.hidden = at >= end;
    if (at < end) tree.fill(row, tree.actors.get(tree.visible[at]), at);
  });
};

tree.newRow = () => {
  const r = {element: make('div', 'row'), actor: make('span', 'actor'), guides: make('i', 'guides'), fold: make('button', 'fold', '▶'),
    dot: make('i', 'dot'), name: make('span', 'name'), about: make('span', 'about'), crowd: make('canvas', 'crowd'),
    reason: make('span', 'reason'), restarts: make('span', 'restarts'), badge: make('span', 'badge'), times: make('b'), ago: make('span'),
    incarnation: make('span', 'incarnation'), mailbox: make('span', 'mailbox'), bar: make('i'), depth: make('span')};
  r.element.setAttribute('role', 'treeitem');
  r.fold.tabIndex = -1;
  r.fold.setAttribute('aria-label', 'children');
  r.actor.append(r.guides, r.fold, r.dot, r.name, r.about, r.crowd);
  r.badge.append(r.times, r.ago);
  r.restarts.append(r.badge);
  r.mailbox.append(r.bar, r.depth);
  r.element.append(r.actor, r.reason, r.restarts, r.incarnation, r.mailbox);
  r.element.addEventListener('click', () => tree.choose(r.path));
  r.fold.addEventListener('click', event => { event.stopPropagation(); tree.toggle(r.path); });
  tree.body.append(r.element);
  return r;
};

tree.fill = (r, a, at) => {
  const e = r.element;
  if (r.path !== a.path) {
    r.path = a.path;
    e.dataset.path = a.path;
    r.flash = null;
  }
  e.style.transform = `translateY(${at * rowHeight}px)`;
  e.setAttribute('aria-level', a.depthInTree + 1);
  e.setAttribute('aria-selected', a.path === tree.chosen);
  r.guides.style.width = a.depthInTree * indent + 'px';

  const children = tree.children.get(a.path) || [], folded = !!tree.folded.get(a.path);
  r.fold.disabled = !children.length;
  r.fold.setAttribute('aria-expanded', !folded);
  r.dot.className = 'dot ' + a.state;
  put(r.name, lastPart(a.path));
  const label = tree.labels.get(a.path) || (children.length > 9 || folded ? children.length : '');
  put(r.about, a.state === 'running' ? String(label) : a.state);
  r.crowd.hidden = !folded || !children.length;
  if (!r.crowd.hidden) tree.drawCrowd(r.crowd, children);

  put(r.reason, a.reason || '');
  r.reason.title = a.reason || '';
  r.badge.hidden = !a.restarts;
  if (a.restarts) {
    const since = tree.now() - (a.restarted_at || 0);
    put(r.times, '↻ ' + a.restarts);
    put(r.ago, a.restarted_at ? age(since) : '');
    r.badge.classList.toggle('recent', since < recentFor);
  }
  put(r.incarnation, a.incarnation ? '#' + a.incarnation : '');
  r.incarnation.classList.toggle('later', a.incarnation > 1);
  const depth = a.depth || 0;
  put(r.depth, depth ? String(depth) : '');
  r.bar.style.setProperty('--full', Math.min(1, Math.log2(1 + depth) / 10));
  r.mailbox.classList.toggle('deep', depth > 256);
  r.mailbox.classList.toggle('empty', !depth);

  const flash = a.flash && performance.now() - a.flash.at < flashFor ? a.flash : null;
  if (flash !== r.flash) {
    // Started anew only for another flash: an animation runs by itself.
    e.classList.remove('flash', 'failed', 'restarted', 'spawned');
    if (flash) {
      void e.offsetWidth;
      e.style.setProperty('--since', -(performance.now() - flash.at) + 'ms');
      e.classList.add('flash', flash.kind);
    }
    r.flash = flash;
  }
};

// drawCrowd shows children that are folded away, a dot each, as large as there
// is room for.
tree.drawCrowd = (element, children) => {
  const room = 420, height = 24;
  const columnsOf = size => Math.ceil(children.length / Math.floor(height / size));
  const size = [5, 4, 3].find(size => columnsOf(size) * size <= room) || 2;
  const rows = Math.floor(height / size);
  element.style.width = Math.min(columnsOf(size) * size, room) + 'px';
  const c = canvas(element);
  if (!c) return;
  children.forEach((path, i) => {
    const a = tree.actors.get(path), recent = tree.now() - (a.restarted_at || 0) < recentFor;
    const calm = a.state === 'running' && !recent;
    c.fillStyle = calm ? colours.calm : a.state === 'failed' ? colours.alarm : colours.warm;
    c.globalAlpha = calm ? .4 : 1; // one among hundreds must catch the eye
    c.fillRect(Math.floor(i / rows) * size, i % rows * size, size - 1, size - 1);
  });
};

tree.toggle = path => {
  tree.folded.set(path, !tree.folded.get(path));
  tree.stale = true;
  draw();
};

tree.choose = (path, show) => {
  tree.chosen = path;
  if (show) tree.show(path);
  panel.open(path);
  draw();
};

// show unfolds and scrolls to an actor.
tree.show = path => {
  for (let a = tree.actors.get(path); a && a.parent; a = tree.actors.get(a.parent)) {
    if (tree.folded.get(a.parent)) { tree.folded.set(a.parent, false); tree.stale = true; }
  }
  if (tree.stale) tree.flatten();
  const at = tree.visible.indexOf(path) * rowHeight;
  if (at < 0) return;
  const {scrollTop, clientHeight} = tree.scroll;
  if (at < scrollTop || at + rowHeight > scrollTop + clientHeight) tree.scroll.scrollTop = at - clientHeight / 2;
};

tree.scroll.addEventListener('scroll', () => draw(), {passive: true});
tree.filter.addEventListener('input', () => { tree.stale = true; draw(); });
tree.body.addEventListener('keydown', event => {
  const at = tree.visible.indexOf(tree.chosen), a = tree.actors.get(tree.chosen);
  const go = path => { if (path) tree.choose(path, true); };
  switch (event.key) {
    case 'ArrowDown': go(tree.visible[Math.min(at + 1, tree.visible.length - 1)]); break;
    case 'ArrowUp': go(tree.visible[Math.max(at - 1, 0)]); break;
    case 'ArrowLeft':
      if (a && !tree.folded.get(a.path) && (tree.children.get(a.path) || []).length) tree.toggle(a.path);
      else if (a) go(a.parent);
      break;
    case 'ArrowRight': if (a && tree.folded.get(a.path)) tree.toggle(a.path); break;
    case 'Escape': panel.close(); break;
    default: return;
  }
  event.preventDefault();
});
