// The stream of frames, and when the page is drawn.

const live = {skew: 0, started: 0, lost: 0, restarts: 0, link: document.getElementById('link'), totals: {}, ended: false};
tree.now = () => Date.now() + live.skew;

live.connect = () => {
  const source = new EventSource('/events');
  source.onmessage = message => live.take(JSON.parse(message.data));
  source.addEventListener('end', () => { live.ended = true; live.say('lost', 'the run has ended'); });
  source.onerror = () => {
    if (!live.ended) live.say('lost', 'connection lost, trying again');
    // A browser gives up on an answer that is no stream: of another run, say.
    if (source.readyState === EventSource.CLOSED) setTimeout(live.connect, 2000);
  };
};

live.say = (state, text) => {
  live.link.className = state;
  put(live.link.lastChild, text);
};

live.take = f => {
  live.ended = false;
  live.say('live', 'live');
  live.skew = f.now - Date.now();
  live.started = f.started;
  live.lost = f.lost || 0;
  live.restarts = f.restarts;
  live.link.title = f.program;
  if (f.full) {
    tree.reset();
    torrents.reset();
    failures.reset();
    work.reset();
  }
  for (const path of f.gone || []) tree.remove(path);
  tree.update(f.actors || [], f.full);
  torrents.update(f.torrents || []);
  failures.update(f.failures || []);
  work.update(f.work);
  const touched = path => path === panel.path;
  if (panel.path && (f.full || (f.actors || []).some(a => touched(a.path)) || (f.gone || []).some(touched) || (f.failures || []).some(e => touched(e.actor)))) {
    panel.refresh();
  }
  draw();
};

live.render = () => {
  let waiting = 0, down = 0, up = 0;
  for (const a of tree.actors.values()) waiting += a.depth || 0;
  for (const t of torrents.known.values()) { down += t.down.at(-1) || 0; up += t.up.at(-1) || 0; }
  live.total('actors', String(tree.actors.size));
  live.total('restarts', String(live.restarts), live.restarts > 0);
  live.total('waiting', String(waiting));
  live.total('down', rate(down));
  live.total('up', rate(up));
  live.total('running', span(Math.max(0, tree.now() - live.started)));
  if (live.lost) live.total('events missed', String(live.lost), true);
};

live.total = (name, value, warm) => {
  let dd = live.totals[name];
  if (!dd) {
    const div = make('div');
    dd = live.totals[name] = make('dd');
    div.append(make('dt', '', name), dd);
    document.getElementById('totals').append(div);
  }
  put(dd, value);
  dd.parentNode.classList.toggle('warm', !!warm);
};

// draw is asked for as often as one likes and done once a frame.
let drawing = false;
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    tree.render();
    torrents.render();
    failures.render();
    work.render();
    live.render();
  });
}

function redraw() {
  readColours();
  torrents.redraw();
  work.redraw();
  draw();
}
addEventListener('resize', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
setInterval(draw, 1000); // ages
live.connect();
