// The torrents: how far, how fast.

const torrents = {known: new Map(), cards: new Map(), place: document.getElementById('torrents')};

torrents.reset = () => torrents.known.clear();

torrents.update = list => {
  for (const t of list) {
    torrents.known.set(t.hash, t);
    tree.labelTorrent(t);
  }
};

// labelTorrent gives the torrent's actor its name, and its best peers their
// addresses and rates.
tree.labelTorrent = t => {
  for (const path of tree.actors.keys()) {
    if (lastPart(path) !== 'torrent-' + t.hash.slice(0, 8)) continue;
    tree.labels.set(path, t.name);
    const peers = path + '/engine/peers/';
    for (const labelled of tree.labels.keys()) if (labelled.startsWith(peers)) tree.labels.delete(labelled);
    for (const p of t.top) tree.labels.set(peers + p.actor, p.addr + (p.down + p.up >= 1 ? ', ' + rate(p.down + p.up) : '') + ', ' + p.source);
    return;
  }
};

torrents.render = () => {
  for (const [hash, card] of torrents.cards) {
    if (torrents.known.has(hash)) continue;
    card.element.remove();
    torrents.cards.delete(hash);
  }
  for (const [hash, t] of torrents.known) {
    let card = torrents.cards.get(hash);
    if (!card) {
      torrents.cards.set(hash, card = torrents.newCard());
      torrents.place.append(card.element);
    }
    if (card.shown !== t) torrents.fill(card, t);
  }
};

torrents.newCard = () => {
  const c = {element: make('div', 'torrent'), head: make('h3'), name: make('span'), state: make('em'), part: make('b'),
    map: make('canvas', 'map'), rates: make('canvas', 'rates'), figures: make('p', 'figures'), down: make('span', 'down'),
    up: make('span', 'up'), peers: make('span'), size: make('span'), sources: make('p', 'sources'), why: make('p', 'why')};
  c.map.setAttribute('role', 'img');
  c.rates.setAttribute('role', 'img');
  c.head.append(c.name, c.state, c.part);
  c.figures.append(c.down, c.up, c.peers, c.size);
  c.element.append(c.head, c.map, c.rates, c.figures, c.sources, c.why);
  return c;
};

torrents.fill = (c, t) => {
  c.shown = t;
  put(c.name, t.name);
  c.name.title = t.name;
  put(c.state, t.state);
  c.state.className = t.state === 'failed' ? 'failed' : '';
  const m = t.metadata;
  const whole = m ? m.size : t.length, part = whole ? (m ? m.received : t.have) / whole : 0;
  put(c.part, whole ? (part < 1 ? Math.min(99.9, part * 100).toFixed(1) : '100') + ' %' : '');
  put(c.down, '↓ ' + rate(t.down.at(-1) || 0));
  put(c.up, '↑ ' + rate(t.up.at(-1) || 0));
  put(c.peers, t.peers ? `${m ? m.peers : t.unchoked} of ${count(t.peers, 'peer')}` : 'no peers');
  c.peers.title = m ? `${m.peers} of ${count(t.peers, 'connected peer')} offer the metadata` :
    `${t.unchoked} of ${count(t.peers, 'connected peer')} let us download, ${t.seeds} have everything, ${t.encrypted} are encrypted`;
  put(c.size, !whole ? '' : part < 1 ? `of ${bytes(whole)}` : bytes(whole));
  c.size.title = m ? `${m.received_parts} of ${count(m.parts, 'part')} of the metadata` :
    `${bytes(t.wasted)} wasted, ${count(t.corrupt, 'corrupt piece')}`;
  const from = t.sources.filter(s => s.connected).map(s => s.source + ' ' + s.connected).join(', ');
  put(c.sources, [from && 'peers from ' + from, t.dht_nodes && count(t.dht_nodes, 'DHT node')].filter(Boolean).join('; '));
  c.sources.title = t.sources.filter(s => s.known).map(s => `${s.known} known by ${s.source}`).join(', ');
  c.sources.hidden = !c.sources.textContent;
  put(c.why, t.why || '');
  c.why.hidden = !t.why;
  c.map.setAttribute('aria-label', `${t.have_pieces} of ${count(t.pieces, 'piece')}`);
  c.rates.setAttribute('aria-label', `receiving ${rate(t.down.at(-1) || 0)}, sending ${rate(t.up.at(-1) || 0)}`);
  torrents.drawMap(c.map, t.map);
  torrents.drawRates(c.rates, t.down, t.up);
};

// drawMap shows the torrent from left to right and then down, in cells that
// fill as their pieces are verified.
torrents.drawMap = (element, cells) => {
  const c = canvas(element);
  if (!c) return;
  const perRow = Math.min(64, Math.max(1, cells.length)), rows = Math.ceil(cells.length / perRow);
  const width = element.clientWidth / perRow, height = element.clientHeight / rows;
  cells.forEach((cell, i) => {
    const x = i % perRow * width, y = Math.floor(i / perRow) * height;
    c.globalAlpha = 1;
    c.fillStyle = colours.line;
    c.fillRect(x, y, width - 1, height - 1);
    if (!cell) return;
    c.globalAlpha = .25 + .75 * cell / 255;
    c.fillStyle = colours.calm;
    c.fillRect(x, y, width - 1, height - 1);
  });
};

torrents.drawRates = (element, down, up) => {
  const c = canvas(element);
  if (!c) return;
  const width = element.clientWidth, height = element.clientHeight, slots = 120;
  const most = Math.max(1024, ...down, ...up);
  const trace = rates => {
    c.beginPath();
    rates.forEach((r, i) => {
      const x = width * (slots - rates.length + i + 1) / slots, y = height - 1 - (height - 3) * r / most;
      if (i) c.lineTo(x, y); else c.moveTo(x, y);
    });
  };
  const from = values => width * (slots - values.length + 1) / slots;
  c.fillStyle = colours.line;
  c.fillRect(0, height - 1, width, 1);
  if (down.length > 1) {
    trace(down);
    c.lineWidth = 1.5;
    c.strokeStyle = colours.calm;
    c.stroke();
    c.lineTo(width, height - 1);
    c.lineTo(from(down), height - 1);
    c.globalAlpha = .14;
    c.fillStyle = colours.calm;
    c.fill();
    c.globalAlpha = 1;
  }
  if (up.some(r => r > 0)) {
    trace(up);
    c.lineWidth = 1;
    c.strokeStyle = colours.muted;
    c.stroke();
  }
};

torrents.redraw = () => { for (const card of torrents.cards.values()) card.shown = null; };
