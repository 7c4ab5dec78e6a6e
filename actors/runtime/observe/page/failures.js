// The log of failures, newest first: the failure, the directive, what came of it.

const failures = {known: new Map(), items: new Map(), place: document.querySelector('#failures ol'), sum: document.querySelector('#failures h2 span')};
const mostFailures = 200; // in the document

failures.reset = () => {
  failures.known.clear();
  failures.items.clear();
  failures.place.replaceChildren();
};

failures.update = list => {
  for (const f of list) {
    failures.known.set(f.seq, f);
    const item = failures.item(f), old = failures.items.get(f.seq);
    if (old) old.replaceWith(item); else failures.place.prepend(item);
    failures.items.set(f.seq, item);
  }
  for (const [seq, item] of failures.items) {
    if (failures.items.size <= mostFailures) break;
    item.remove();
    failures.items.delete(seq);
    failures.known.delete(seq);
  }
};

failures.item = f => {
  const li = make('li'), head = make('p', 'headline');
  head.append(make('b', '', f.actor.split('/').slice(-2).join('/')), make('time', '', clock(f.at)));
  head.firstChild.title = f.actor;
  li.append(head, make('p', 'what', f.because ? `fails for ${lastPart(f.because)}` : f.reason), failures.chain(f));
  li.dataset.seq = f.seq;
  li.addEventListener('click', () => tree.choose(f.actor, true));
  return li;
};

// chain says what was done, step by step.
failures.chain = f => {
  const p = make('p', 'chain');
  const step = (text, className) => p.append(make('span', className || '', text));
  step(`#${f.incarnation} failed`);
  if (!f.action) {
    step('waiting for its supervisor', 'pending');
  } else if (f.action === 'restart') {
    const budget = f.budget_left >= 0 ? `, ${f.budget_left} left` : '';
    step(`restart${f.delay_ms ? ' in ' + span(f.delay_ms) : ' at once'} (attempt ${f.attempt || 1}${budget})`);
    if (f.outcome === 'restarted') step(`#${f.incarnation + 1} runs after ${span(f.down_ms)}`, 'good');
    else if (f.outcome) step('stopped first', 'bad');
    else step('waiting', 'pending');
  } else if (f.action === 'escalate') {
    step('escalated to its parent');
  } else {
    step(f.why ? `stopped (${f.why})` : 'stopped', f.why === 'parent' ? '' : 'bad');
  }
  return p;
};

failures.render = () => put(failures.sum, failures.known.size ? String(failures.known.size) : '');
