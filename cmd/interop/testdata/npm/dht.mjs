// Runs COUNT nodes of npm's bittorrent-dht at HOSTS in turn, the first of each
// host at PORT. At HTTP port CONTROL of 127.0.0.1, once each node knows some
// others, /lookup/HASH has the last node look until it has found peers, and answers with
// their addresses, and /announce/HASH/PORT has it announce a peer.
// /greet/ADDRESS:PORT has all nodes ping that one, ten a second, and answers
// with their number.

import DHT from 'bittorrent-dht'
import { createServer } from 'node:http'

const [list, port, count, control] = process.argv.slice(2)
const hosts = list.split(',')
const most = 8 // nodes in an answer (BEP 5)
const least = Math.min(most, Number(count) - 1)

function start (bootstrap, host, at) {
  const dht = new DHT({ bootstrap, host })
  dht.on('error', error => console.error(String(error)))
  // By default an answer has all nodes of the table. With some 55 it is
  // longer than 1500 bytes, and other programs, kouzui and libtorrent among
  // them, drop it: who bootstraps there then never knows a node.
  const closest = dht.nodes.closest.bind(dht.nodes)
  dht.nodes.closest = (id, n = most) => closest(id, n)
  return new Promise(resolve => dht.listen(at, host, () => resolve(dht)))
}

const nodes = []
for (let n = 0; n < Number(count); n++) {
  nodes.push(await start(n > 0 && [`${hosts[0]}:${port}`], hosts[n % hosts.length], n < hosts.length ? Number(port) : 0))
}
const last = nodes[nodes.length - 1]

// lookup looks again while nobody is found: an announce may be under way.
function lookup (hash, answer) {
  const found = new Set()
  const take = (peer, of) => {
    if (of.toString('hex') === hash) found.add(`${peer.host}:${peer.port}`)
  }
  last.on('peer', take)
  const again = () => last.lookup(hash, () => {
    if (found.size === 0) return setTimeout(again, 100)
    last.off('peer', take)
    answer([...found])
  })
  again()
}

const greetEvery = 100 // ms: a node asks few strangers a second back

function greet (address, answer) {
  const [host, port] = address.split(':')
  nodes.forEach((dht, n) => setTimeout(() => dht.addNode({ host, port: Number(port) }), n * greetEvery))
  setTimeout(() => answer(nodes.length), nodes.length * greetEvery)
}

const server = createServer((request, response) => {
  const answer = value => response.end(JSON.stringify(value))
  const [, command, hash, at] = request.url.split('/')
  if (command === 'lookup') lookup(hash, answer)
  else if (command === 'announce') last.announce(hash, Number(at), error => answer(error ? String(error) : ''))
  else if (command === 'greet') greet(hash, answer)
  else answer(null)
})
const timer = setInterval(() => {
  if (!nodes.every(dht => dht.nodes.count() >= least)) return
  clearInterval(timer)
  server.listen(Number(control), '127.0.0.1')
}, 20)
