// Runs the server of npm's bittorrent-tracker at HOST PORT over HTTP and UDP.
// Its own command also loads a WebRTC client, which needs a native module.

import Server from 'bittorrent-tracker/server'

const [host, port] = process.argv.slice(2)
const server = new Server({ http: true, udp: true, ws: false, stats: false })
server.on('error', error => { throw error })
server.listen(Number(port), { http: host, udp: host })
