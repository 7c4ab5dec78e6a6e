// Beside the tree: all about one actor.

const panel = {element: document.getElementById('panel'), path: null, asked: null, again: false, unfolded: new Set()};

panel.open = path => {
  if (panel.path !== path) {
    panel.path = path;
    panel.unfolded.clear();
  }
  panel.refresh();
};

panel.close = () => {
  panel.path = null;
  panel.element.hidden = true;
  tree.chosen = null;
  tree.body.focus({preventScroll: true});
  draw();
};

// refresh asks the server, once at a time.
panel.refresh = async () => {
  if (!panel.path) return;
  if (panel.asked) { panel.again = true; return; }
  const path = panel.asked = panel.path;
  try {
    const answer = await fetch('/actor?path=' + encodeURIComponent(path));
    if (answer.ok && path === panel.path) panel.fill(path, await answer.json());
  } catch { /* the stream says that the connection is lost */ }
  panel.asked = null;
  if (panel.again) { panel.again = false; panel.refresh(); }
};

panel.fill = (path, d) => {
  const a = d.actor, title = make('div', 'title'), close = make('button', 'close', '×');
  close.setAttribute('aria-label', 'Close');
  close.addEventListener('click', panel.close);
  title.append(make('i', 'dot ' + (a ? a.state : 'gone')), make('h2', '', lastPart(path)), close);

  const facts = make('dl');
  const fact = (name, value) => facts.append(make('dt', '', name), make('dd', '', value));
  fact('State', a ? a.state : 'stopped');
  if (a) {
    fact('Kind', a.kind);
    fact('Incarnation', '#' + a.incarnation);
    fact('Restarts', String(a.restarts || 0));
    fact('Mailbox', count(a.depth || 0, 'message'));
    fact('Children', String(d.children));
    if (d.children) fact('Strategy', a.strategy || '');
  }
  const parts = [title, make('p', 'path', path), facts];
  if (a) parts.push(panel.killButton(path), make('p', 'hint', 'It panics at its next message, and its supervisor answers.'));
  if (d.failures && d.failures.length) {
    parts.push(make('h3', '', 'Failures'));
    for (const f of d.failures) parts.push(panel.failure(f));
  }
  if (d.events && d.events.length) {
    const list = make('ol', 'events');
    for (const e of d.events.reverse()) {
      const li = make('li');
      li.append(make('time', '', fineClock(e.at)), make('span', e.kind, e.text));
      li.title = 'event ' + e.seq;
      list.append(li);
    }
    parts.push(make('h3', '', 'Events'), list);
  }
  const scrolled = panel.element.scrollTop;
  panel.element.replaceChildren(...parts);
  panel.element.hidden = false;
  panel.element.scrollTop = scrolled;
};

panel.failure = f => {
  const details = make('details'), summary = make('summary');
  summary.append(make('span', 'what', f.reason), failures.chain(f));
  const about = [fineClock(f.at), f.message && 'at ' + f.message, f.strategy && 'under ' + f.strategy, f.because && 'for ' + f.because].filter(Boolean).join(', ');
  details.append(summary, make('pre', '', about + '\n' + (f.stack ? '\n' + f.stack.trim() : '\nNo stack: it failed as it was designed to.')));
  details.open = panel.unfolded.has(f.seq);
  details.addEventListener('toggle', () => details.open ? panel.unfolded.add(f.seq) : panel.unfolded.delete(f.seq));
  return details;
};

panel.killButton = path => {
  const b = make('button', 'kill', 'Kill this actor');
  b.addEventListener('click', async () => {
    b.disabled = true;
    const answer = await fetch('/kill', {method: 'POST', body: new URLSearchParams({path})}).catch(() => null);
    if (!answer || !answer.ok) put(b, answer ? await answer.text() : 'No connection');
  });
  return b;
};
